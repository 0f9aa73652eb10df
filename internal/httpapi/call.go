package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"unicode/utf8"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/auth"
	"github.com/seed-09a96375/belfry/hub"
)

// call is one request that is served.
type call struct {
	api      *API
	op       *operation
	w        http.ResponseWriter
	r        *http.Request
	identity *auth.Identity // nil: everybody may do everything
	names    url.Values     // in the path
	query    url.Values
	faults   []Fault // of parameters
}

// may reports whether the backend may do something in a room.
func (c *call) may(a auth.Action, room belfry.Room) bool {
	return c.identity == nil || c.identity.Grants.May(a, room)
}

// everywhere reports whether it may do so in all rooms.
func (c *call) everywhere(a auth.Action) bool { return c.may(a, c.api.everyRoom) }

// need refuses those who may not do something in a room.
func (c *call) need(a auth.Action, room belfry.Room) error {
	if c.may(a, room) {
		return nil
	}
	return newProblem(Code(auth.Forbidden), "the grants of this key do not allow to %s room %q", a, room)
}

// needAll refuses those who may not do something in all rooms.
func (c *call) needAll(a auth.Action) error {
	if c.everywhere(a) {
		return nil
	}
	return newProblem(Code(auth.Forbidden), `this is about more than single rooms: it needs the grant %s for "*"`, a)
}

// fault says what is wrong with a parameter.
func (c *call) fault(parameter, detail string) {
	c.faults = append(c.faults, Fault{Parameter: parameter, Detail: detail})
}

// invalid is the problem of the faults, nil if there are none.
func (c *call) invalid() error {
	if len(c.faults) == 0 {
		return nil
	}
	return faulty(Invalid, c.faults, 0)
}

// readQuery refuses parameters that are unknown, or there twice.
func (c *call) readQuery() error {
	if c.r.URL.RawQuery == "" {
		return nil
	}
	var err error
	if c.query, err = url.ParseQuery(c.r.URL.RawQuery); err != nil {
		return newProblem(Invalid, "the query of the URL is wrong: %v", err)
	}
	for name, values := range c.query {
		switch {
		case !c.op.has(name):
			c.fault(name, "is not known here")
		case len(values) > 1:
			c.fault(name, "is there twice")
		}
	}
	return c.invalid()
}

// path returns a name of the path, unescaped.
func (c *call) path(name string, limit int, rule func(string) string) string {
	return c.checked(name, c.names.Get(name), limit, rule)
}

func (c *call) checked(name, value string, limit int, rule func(string) string) string {
	switch {
	case !utf8.ValidString(value):
		c.fault(name, "is not UTF-8")
	case len(value) > limit:
		c.fault(name, "has "+strconv.Itoa(len(value))+" bytes: at most "+strconv.Itoa(limit)+" are allowed")
	case rule != nil && value != "":
		if wrong := rule(value); wrong != "" {
			c.fault(name, wrong)
		}
	}
	return value
}

// room returns the room of the path.
func (c *call) room() belfry.Room { return belfry.Room(c.path("room", maxRoom, roomRule)) }

// user returns the room of the user of the path.
func (c *call) user() belfry.Room { return hub.UserRoom(c.path("user", hub.MaxUser, nil)) }

// space returns the namespace that the query names.
func (c *call) space() *hub.Space {
	name := c.checked("namespace", c.query.Get("namespace"), maxNamespace, namespaceRule(c.api.o.Namespaces))
	return c.api.space(name)
}

// space returns a namespace, the first for the empty name, nil for an unknown one.
func (a *API) space(name string) *hub.Space {
	if name == "" {
		name = a.o.Namespaces[0]
	}
	return a.spaces[name]
}

// flag returns a parameter that is true or false.
func (c *call) flag(name string, standard bool) bool {
	switch c.query.Get(name) {
	case "":
		return standard
	case "true":
		return true
	case "false":
		return false
	}
	c.fault(name, "must be true or false")
	return standard
}

// body reads what the client sent.
func (c *call) body() ([]byte, error) {
	if err := c.isJSON(); err != nil {
		return nil, err
	}
	limit := int64(c.api.o.MaxBody)
	if c.r.ContentLength > limit {
		return nil, c.tooLarge()
	}
	var b []byte
	var err error
	if n := c.r.ContentLength; n >= 0 {
		b = make([]byte, n)
		_, err = io.ReadFull(c.r.Body, b)
	} else {
		b, err = io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, limit))
	}
	if err != nil {
		if large := new(http.MaxBytesError); errors.As(err, &large) {
			return nil, c.tooLarge()
		}
		return nil, newProblem(Malformed, "the body cannot be read: %v", err)
	}
	if err := validate(b, c.api.o.MaxDepth); err != nil {
		return nil, newProblem(Malformed, "the body %v", err)
	}
	return skipSpace(b), nil
}

func (c *call) tooLarge() error {
	return newProblem(TooLarge, "the body is too large: at most %d bytes are allowed, send less at once", c.api.o.MaxBody)
}

// isJSON refuses bodies that are not said to be JSON: a page of another site could
// send those without asking, where a node is open.
func (c *call) isJSON() error {
	t := c.r.Header.Get("Content-Type")
	if t == "application/json" {
		return nil
	}
	if kind, _, err := mime.ParseMediaType(t); err == nil && kind == "application/json" {
		return nil
	}
	return newProblem(UnsupportedMedia, "the body is %q: send it with Content-Type: application/json", t)
}

// marshal is json.Marshal without escapes for HTML.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func send(w http.ResponseWriter, status int, body []byte) {
	w.Header()["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client has it, or it has gone
}
