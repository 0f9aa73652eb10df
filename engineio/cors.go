package engineio

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// CORS says which pages of other origins a browser lets talk to the server. The
// server itself refuses nobody for it: see Options.Origins. The zero value
// allows no other origin.
type CORS struct {
	// Origin is sent to everyone, whatever page asks; "*" is any page, to which
	// browsers then send no cookies.
	Origin string
	// Origins, used if Origin is empty, are patterns as in Options.Origins: if
	// one fits, the page's origin is sent back.
	Origins []string
	// Methods of the preflight answer. Nil: GET, HEAD, PUT, PATCH, POST, DELETE.
	Methods []string
	// AllowedHeaders of the preflight answer. Nil: those that it asks for.
	AllowedHeaders []string
	// ExposedHeaders are the response headers that a page may read.
	ExposedHeaders []string
	// Credentials allows cookies and client certificates.
	Credentials bool
	// MaxAge is how long a preflight answer is valid, in whole seconds. 0: the
	// browser decides.
	MaxAge time.Duration
}

var corsMethods = []string{
	http.MethodGet, http.MethodHead, http.MethodPut,
	http.MethodPatch, http.MethodPost, http.MethodDelete,
}

// Serve adds the headers that r asks for to w. It reports true if r was a
// preflight request: then it has answered it. c may be nil: no CORS.
//
// Source: the Fetch standard, section 3.2.
func (c *CORS) Serve(w http.ResponseWriter, r *http.Request) bool {
	if c == nil {
		return false
	}
	h := w.Header()
	c.setOrigin(h, r.Header.Get("Origin"))
	if c.Credentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	if len(c.ExposedHeaders) > 0 {
		h.Set("Access-Control-Expose-Headers", strings.Join(c.ExposedHeaders, ","))
	}
	if r.Method != http.MethodOptions {
		return false
	}
	c.preflight(h, r)
	w.WriteHeader(http.StatusNoContent)
	return true
}

func (c *CORS) setOrigin(h http.Header, origin string) {
	if c.Origin == "*" {
		h.Set("Access-Control-Allow-Origin", "*")
		return
	}
	h.Add("Vary", "Origin")
	switch {
	case c.Origin != "":
		h.Set("Access-Control-Allow-Origin", c.Origin)
	case origin != "" && matchOrigins(c.Origins, origin):
		h.Set("Access-Control-Allow-Origin", origin)
	}
}

func (c *CORS) preflight(h http.Header, r *http.Request) {
	methods := c.Methods
	if methods == nil {
		methods = corsMethods
	}
	h.Set("Access-Control-Allow-Methods", strings.Join(methods, ","))
	if c.AllowedHeaders != nil {
		h.Set("Access-Control-Allow-Headers", strings.Join(c.AllowedHeaders, ","))
	} else if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
		h.Add("Vary", "Access-Control-Request-Headers")
		h.Set("Access-Control-Allow-Headers", asked)
	}
	if c.MaxAge > 0 {
		h.Set("Access-Control-Max-Age", strconv.Itoa(int(c.MaxAge/time.Second)))
	}
}

func (c *CORS) validate() []error {
	if c == nil {
		return nil
	}
	var faults []error
	if c.Origin == "*" && c.Credentials {
		faults = append(faults, fault("CORS.Credentials", true, "false if Origin is \"*\": browsers refuse the combination"))
	}
	if slices.Contains(c.Origins, "*") && c.Credentials {
		faults = append(faults, fault("CORS.Credentials", true, "false if Origins contains \"*\": any page could act as its visitor"))
	}
	for _, p := range c.Origins {
		if err := validOrigin(p); err != nil {
			faults = append(faults, fault("CORS.Origins", err, "patterns"))
		}
	}
	return faults
}
