package socketio

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
)

// ClientBundle is the text of the JavaScript client.
type ClientBundle []byte

// wanted reports whether r is a request for the client bundle, and there is one.
func (b ClientBundle) wanted(r *http.Request) bool {
	return b != nil && r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/socket.io.js")
}

// serve answers a request for the client bundle.
func (b ClientBundle) serve(w http.ResponseWriter, r *http.Request) {
	sum := sha256.Sum256(b)
	etag := `"` + hex.EncodeToString(sum[:8]) + `"`
	h := w.Header()
	h.Set("ETag", etag)
	h.Set("Cache-Control", "public, max-age=0")
	h.Set("Content-Type", "application/javascript; charset=utf-8")
	if r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(b) // the client may be gone
}
