package httpapi

import (
	"net/http"
	"net/url"
	"strings"
)

// router finds operations by escaped paths, so that a name may hold a slash. (That of
// net/http cannot tell the name "/" from the end of a path.)
type router struct {
	fixed    map[string]methods // by path
	patterns []pattern
}

// pattern is a path with names, such as /api/rooms/{room}.
type pattern struct {
	segments []string
	methods  methods
}

// methods are the operations of one path.
type methods map[string]*operation

func newRouter(all []operation) *router {
	r := &router{fixed: make(map[string]methods)}
	for i := range all {
		op := &all[i]
		m := r.fixed[op.path]
		if m == nil {
			m = make(methods)
			r.fixed[op.path] = m
			if strings.Contains(op.path, "{") {
				r.patterns = append(r.patterns, pattern{strings.Split(op.path, "/"), m})
			}
		}
		m[op.method] = op
	}
	return r
}

// find returns the operations of a path, nil if there are none, and the names in it.
func (r *router) find(path string) (methods, url.Values) {
	if m := r.fixed[path]; m != nil && !strings.Contains(path, "{") {
		return m, nil
	}
	segments := strings.Split(path, "/")
	for i := range r.patterns {
		if values := r.patterns[i].match(segments); values != nil {
			return r.patterns[i].methods, values
		}
	}
	return nil, nil
}

// match returns the names in the path, nil if it is not one of this pattern.
func (p *pattern) match(segments []string) url.Values {
	if len(segments) != len(p.segments) {
		return nil
	}
	values := make(url.Values)
	for i, s := range p.segments {
		if s == "" || s[0] != '{' {
			if s != segments[i] {
				return nil
			}
			continue
		}
		value, err := url.PathUnescape(segments[i])
		if err != nil || value == "" {
			return nil
		}
		values.Set(s[1:len(s)-1], value)
	}
	return values
}

func (m methods) names() []string {
	var all []string
	for _, name := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		if m[name] != nil {
			all = append(all, name)
		}
	}
	return all
}

// operation returns that of a method, nil if there is none.
func (m methods) operation(method string) *operation {
	if op := m[method]; op != nil || method != http.MethodHead {
		return op
	}
	return m[http.MethodGet]
}
