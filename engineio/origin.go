package engineio

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

var errOrigin = errors.New("origin not allowed")

// checkOrigin refuses requests that a page of a foreign origin makes its
// visitor's browser send. allowed nil: any origin.
func checkOrigin(allowed []string, r *http.Request, q *query) error {
	if allowed == nil {
		return nil
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		if q.hasJSONP {
			return errOrigin // a script element sends no Origin, whatever page it is on
		}
		return nil
	}
	if u, err := url.Parse(origin); err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host) {
		return nil
	}
	if !matchOrigins(allowed, origin) {
		return errOrigin
	}
	return nil
}

// maxOrigin bounds the work that matching takes; a host name has 253 bytes.
const maxOrigin = 512

func matchOrigins(patterns []string, origin string) bool {
	if len(origin) > maxOrigin {
		return false
	}
	origin = strings.ToLower(origin)
	for _, p := range patterns {
		if p == "*" || matchGlob(strings.ToLower(p), origin) {
			return true
		}
	}
	return false
}

// matchGlob matches text against a pattern in which "*" stands for any number
// of characters except "/". When a literal does not fit, the last "*" takes one
// more.
func matchGlob(pattern, text string) bool {
	p, t, star, taken := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, taken = p, t
			p++
		case p < len(pattern) && pattern[p] == text[t]:
			p++
			t++
		case star >= 0 && text[taken] != '/':
			taken++
			p, t = star+1, taken
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// validOrigin reports what is wrong with a pattern.
func validOrigin(pattern string) error {
	if pattern == "*" {
		return nil
	}
	scheme, host, ok := strings.Cut(pattern, "://")
	if !ok || scheme == "" || host == "" || strings.Contains(scheme+host, "/") {
		return fmt.Errorf("%q must be \"*\" or scheme://host[:port]", pattern)
	}
	return nil
}

// validHeaderText reports whether s may stand in a header: no control
// characters.
func validHeaderText(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 0x20 && c != '\t') || c == 0x7f {
			return false
		}
	}
	return true
}
