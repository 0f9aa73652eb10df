package engineio

import (
	"net/http"
	"time"
)

// Cookie describes the cookie with the session id that load balancers may keep
// a session on one node by. The server never reads it. The zero value is
// io=<sid>; Path=/; HttpOnly; SameSite=Lax.
type Cookie struct {
	Name     string // default "io"
	Path     string // default "/"
	Domain   string
	MaxAge   time.Duration // whole seconds; 0: until the browser ends
	SameSite http.SameSite // 0: Lax
	Secure   bool
	// Script lets scripts of the page read the cookie: it is not HttpOnly.
	Script bool
}

func (c *Cookie) set(h http.Header, id string) {
	if c == nil {
		return
	}
	cookie := http.Cookie{
		Name: "io", Value: id, Path: "/", Domain: c.Domain,
		MaxAge: int(c.MaxAge / time.Second), SameSite: http.SameSiteLaxMode,
		Secure: c.Secure, HttpOnly: !c.Script,
	}
	if c.Name != "" {
		cookie.Name = c.Name
	}
	if c.Path != "" {
		cookie.Path = c.Path
	}
	if c.SameSite != 0 {
		cookie.SameSite = c.SameSite
	}
	h.Add("Set-Cookie", cookie.String())
}
