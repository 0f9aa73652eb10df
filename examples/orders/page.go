package orders

import (
	"bytes"
	"embed"
	"io/fs"
	"net/http"
	"time"

	"github.com/seed-09a96375/belfry/examples/look"
)

//go:embed page
var pageFiles embed.FS

// Page serves the page; mount it with http.StripPrefix. It expects STOMP at /stomp,
// event streams at /sse, Socket.IO with its bundle at /socket.io/, and
// /api/notification, all of the same host. stomp is the browser bundle of
// @stomp/stompjs, nil if there is none: then the page says so.
func Page(stomp []byte) http.Handler {
	files, err := fs.Sub(pageFiles, "page")
	if err != nil {
		panic(err) // it is embedded
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /stomp.js", func(w http.ResponseWriter, r *http.Request) {
		if stomp == nil {
			http.Error(w, "this build has no STOMP client", http.StatusNotFound)
			return
		}
		http.ServeContent(w, r, "stomp.js", time.Time{}, bytes.NewReader(stomp))
	})
	mux.Handle("GET /", look.Files(files))
	return mux
}
