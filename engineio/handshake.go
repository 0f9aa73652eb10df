package engineio

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Handshake is the request that a session began with, in compact form: nothing
// of the http.Request stays referenced. Its methods decode on each call: they
// are meant for the occasional look. Immutable, safe for concurrent use.
type Handshake struct {
	// packed is one string: remote address, request URI, then the headers as
	// "Name: value", each followed by a line feed, which none of them contains.
	packed string
	at     int64 // Unix nanoseconds
	flags  uint8
}

const (
	flagSecure uint8 = 1 << iota
	flagCrossDomain
)

// newHandshake copies what it keeps. keep is Options.KeepHeaders in canonical
// form.
func newHandshake(r *http.Request, keep []string) Handshake {
	h := Handshake{packed: pack(r, keep), at: time.Now().UnixNano()}
	if r.TLS != nil {
		h.flags |= flagSecure
	}
	if r.Header.Get("Origin") != "" {
		h.flags |= flagCrossDomain
	}
	return h
}

func pack(r *http.Request, keep []string) string {
	uri := r.RequestURI
	if uri == "" {
		uri = r.URL.RequestURI()
	}
	var b strings.Builder
	line := func(parts ...string) {
		for _, p := range parts {
			if strings.ContainsRune(p, '\n') {
				return
			}
		}
		for _, p := range parts {
			b.WriteString(p)
		}
		b.WriteByte('\n')
	}
	line(strings.ReplaceAll(r.RemoteAddr, "\n", ""))
	line(strings.ReplaceAll(uri, "\n", ""))
	if kept(keep, "Host") && r.Host != "" {
		line("Host: ", r.Host)
	}
	for name, values := range r.Header {
		if kept(keep, name) {
			for _, v := range values {
				line(name, ": ", v)
			}
		}
	}
	return strings.Clone(b.String()) // without the builder's spare room
}

// kept reports whether a header is worth its bytes for the session's life. By
// default those are not that only speak of the connection itself.
func kept(keep []string, name string) bool {
	if keep == nil {
		return name != "Connection" && name != "Upgrade" && !strings.HasPrefix(name, "Sec-Websocket-")
	}
	for _, k := range keep {
		if k == name {
			return true
		}
	}
	return false
}

// URL returns the request URI: path and query.
func (h *Handshake) URL() string {
	_, rest, _ := strings.Cut(h.packed, "\n")
	uri, _, _ := strings.Cut(rest, "\n")
	return uri
}

// Query returns the query parameters, those of the protocol included. What
// cannot be decoded is left out.
func (h *Handshake) Query() url.Values {
	_, raw, _ := strings.Cut(h.URL(), "?")
	values, _ := url.ParseQuery(raw) // holds what is valid in spite of an error
	return values
}

// Header returns the headers that Options.KeepHeaders names, Host among them.
func (h *Handshake) Header() http.Header {
	header := make(http.Header)
	_, rest, _ := strings.Cut(h.packed, "\n")
	_, rest, _ = strings.Cut(rest, "\n")
	for line := range strings.Lines(rest) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		header[name] = append(header[name], value)
	}
	return header
}

// RemoteAddr returns the peer's address as the HTTP server saw it.
func (h *Handshake) RemoteAddr() string {
	addr, _, _ := strings.Cut(h.packed, "\n")
	return addr
}

// Secure reports whether the request came over TLS.
func (h *Handshake) Secure() bool { return h.flags&flagSecure != 0 }

// CrossDomain reports whether the request had an Origin header.
func (h *Handshake) CrossDomain() bool { return h.flags&flagCrossDomain != 0 }

// Time returns when the session began.
func (h *Handshake) Time() time.Time { return time.Unix(0, h.at) }
