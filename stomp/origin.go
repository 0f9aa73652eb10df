package stomp

import (
	"net/http"
	"net/url"
	"path"
	"strings"
)

// allowOrigin refuses requests that a page of a foreign origin makes its visitor's
// browser send.
func (s *Server) allowOrigin(r *http.Request) bool {
	origins := append(r.Header.Values("Origin"), r.Header.Values("Sec-Websocket-Origin")...)
	for _, origin := range origins {
		if !s.knownOrigin(origin, r.Host) {
			return false
		}
	}
	return true
}

func (s *Server) knownOrigin(origin, host string) bool {
	if u, err := url.Parse(origin); err == nil && u.Host != "" && strings.EqualFold(u.Host, host) {
		return true
	}
	origin = strings.ToLower(origin)
	for _, p := range s.o.Origins {
		if fits, _ := path.Match(strings.ToLower(p), origin); fits || p == "*" { // Validate has seen the patterns
			return true
		}
	}
	return false
}
