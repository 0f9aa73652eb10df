package engineio

import (
	"io"
	"net/http"
	"time"
)

// elsewhere lets the layer above serve a request of a session that is not here.
// It reports whether that has answered.
func (s *Server) elsewhere(w http.ResponseWriter, r *request) bool {
	if s.o.Elsewhere == nil {
		return false
	}
	rc := http.NewResponseController(w)
	// The server of the session bounds the answer; a long poll is meant to last.
	_ = rc.SetWriteDeadline(time.Time{}) // not every ResponseWriter can
	req := r.Request
	if req.ContentLength != 0 {
		_ = rc.SetReadDeadline(time.Now().Add(s.o.ReadTimeout))
		req = req.WithContext(req.Context()) // a copy: only its body changes
		req.Body = &timedBody{req.Body, rc}
	} else {
		_ = rc.SetReadDeadline(time.Time{})
	}
	return s.o.Elsewhere(w, req, r.sid)
}

// timedBody is a body with a deadline, which its end lifts: the answer may take
// longer.
type timedBody struct {
	io.ReadCloser
	rc *http.ResponseController
}

func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		_ = b.rc.SetReadDeadline(time.Time{})
	}
	return n, err
}
