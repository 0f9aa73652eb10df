package engineio

import (
	"net/http"
	"net/url"
	"time"
)

// Handshake is the request that a session began with, in compact form: nothing
// of the http.Request stays referenced. Its methods decode on each call, they
// are meant for the occasional look. Immutable, safe for concurrent use.
type Handshake struct {
	packed string
	at     int64
	flags  uint8
}

// URL returns the request URI: path and query.
func (h *Handshake) URL() string { return "" }

// Query returns the query parameters, those of the protocol included.
func (h *Handshake) Query() url.Values { return nil }

// Header returns the headers that Options.KeepHeaders names, Host included.
func (h *Handshake) Header() http.Header { return nil }

// RemoteAddr returns the peer's address as the HTTP server saw it.
func (h *Handshake) RemoteAddr() string { return "" }

// Secure reports whether the request came over TLS.
func (h *Handshake) Secure() bool { return false }

// CrossDomain reports whether the request had an Origin header.
func (h *Handshake) CrossDomain() bool { return false }

// Time returns when the session began.
func (h *Handshake) Time() time.Time { return time.Unix(0, h.at) }
