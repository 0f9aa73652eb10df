package cluster

import (
	"net/http"
	"time"
)

const (
	headerTime     = 10 * time.Second
	idleTime       = 2 * time.Minute
	maxHeaderBytes = 64 << 10
)

// NewHTTPServer returns the HTTP server of a node. Requests have no time limit as
// a whole: a long poll is meant to last.
func NewHTTPServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: headerTime, IdleTimeout: idleTime, MaxHeaderBytes: maxHeaderBytes,
	}
}
