// Package origin tells pages that may use a server from those that may not. A
// browser lets every page open a WebSocket or an event stream anywhere, with its
// visitor's cookies; only the header Origin (RFC 6454) says whose page it is.
package origin

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// Allowed reports whether a request may come: from a page of the server's own host,
// from one whose origin fits a pattern, or from no page at all. Patterns are those
// of path.Match, such as https://*.example.org, or "*" for any.
func Allowed(r *http.Request, patterns []string) bool {
	origins := append(r.Header.Values("Origin"), r.Header.Values("Sec-Websocket-Origin")...)
	for _, o := range origins {
		if !Own(r, o) && !Fits(o, patterns) {
			return false
		}
	}
	return true
}

// Own reports whether an origin is the host that the request is for.
func Own(r *http.Request, origin string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host)
}

// Fits reports whether an origin fits one of the patterns.
func Fits(origin string, patterns []string) bool {
	origin = strings.ToLower(origin)
	for _, p := range patterns {
		if fits, _ := path.Match(strings.ToLower(p), origin); fits || p == "*" { // Validate has seen the patterns
			return true
		}
	}
	return false
}

// Validate names the first pattern that cannot work.
func Validate(patterns []string) error {
	for _, p := range patterns {
		if _, err := path.Match(p, ""); err != nil {
			return fmt.Errorf("%q is no pattern of path.Match", p)
		}
	}
	return nil
}
