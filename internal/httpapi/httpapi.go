// Package httpapi is the way of backends to the clients: HTTP with JSON. A call that
// succeeds was accepted by the cluster, whichever node it was made to.
//
//	POST   /api/publish, /api/batch              events to rooms and users
//	GET    /api/rooms, /api/rooms/{room}         who is where
//	GET    /api/rooms/{room}/presence            as clients see it
//	GET    /api/rooms/{room}/history             its past, where there is an archive
//	POST   /api/rooms/{room}/join, …/leave       sessions and users into and out of rooms
//	GET    /api/sessions, /api/sessions/{id}     who is connected
//	DELETE /api/sessions/{id}                    disconnect
//	       /api/users/{user}/…                   the same by user
//	GET    /api/nodes                            the cluster
//	POST   /api/reply                            answers to events of clients
//	GET    /api/openapi.json                     all this for machines (OpenAPI 3.1)
//
// The document is made of the tables that requests are dispatched and read by. Errors
// are problem documents (RFC 9457).
package httpapi

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/auth"
	"github.com/seed-09a96375/belfry/hub"
)

// Path is below which an API serves.
const Path = "/api/"

// API serves requests. Safe for concurrent use. It needs no end.
type API struct {
	o       Options
	hub     *hub.Hub
	spaces  map[string]*hub.Space
	started time.Time
	router  *router
	// everyRoom is a name that no pattern fits but those that fit all rooms: nobody
	// knows it.
	everyRoom belfry.Room
}

// New returns an API for the clients of a hub.
func New(h *hub.Hub, o Options) (*API, error) {
	if h == nil {
		return nil, errors.New("httpapi: the hub is nil: give that of the server")
	}
	if err := o.Validate(); err != nil {
		return nil, err
	}
	a := &API{o: o.withDefaults(), hub: h, spaces: make(map[string]*hub.Space), started: time.Now()}
	for _, n := range a.o.Namespaces {
		a.spaces[n] = h.Space(n, hub.Hooks{})
	}
	a.everyRoom = unknownRoom()
	all := a.operations()
	document, err := a.document(all)
	if err != nil {
		return nil, err
	}
	a.router = newRouter(append(all, documentation(document)))
	return a, nil
}

// unknownRoom returns a name that nobody can know, of characters that no pattern has.
func unknownRoom() belfry.Room {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	for i := range b {
		b[i] = 1 + b[i]%8
	}
	return belfry.Room(b[:])
}

// ServeHTTP implements http.Handler, for all paths that begin with Path.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.EscapedPath()
	m, names := a.router.find(path)
	switch op := m.operation(r.Method); {
	case op != nil:
		a.serve(w, r, op, names)
	case m != nil:
		p := newProblem(MethodNotAllowed, "%s is not possible here: only what Allow lists", r.Method)
		p.allow = m.names()
		p.write(w)
	default:
		newProblem(NotFound, "there is no %s: GET %s lists what there is", path, documentPath).write(w)
	}
}

func (a *API) serve(w http.ResponseWriter, r *http.Request, op *operation, names url.Values) {
	if a.o.Observe == nil {
		a.answer(w, r, op, names)
		return
	}
	begun := time.Now()
	status := a.answer(w, r, op, names)
	a.o.Observe(op.id, status, time.Since(begun))
}

func (a *API) answer(w http.ResponseWriter, r *http.Request, op *operation, names url.Values) (status int) {
	body, err := a.call(w, r, op, names)
	if err != nil {
		return a.fail(w, r, err)
	}
	h := w.Header()
	h["Content-Type"] = jsonType
	if r.Method != http.MethodPost { // those are never stored (RFC 9110 section 9.3.3)
		h["Cache-Control"] = noStore
	}
	send(w, http.StatusOK, body)
	return http.StatusOK
}

// Values of headers; never changed.
var (
	jsonType = []string{"application/json"}
	noStore  = []string{"no-store"}
)

func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) (status int) {
	p := explain(err)
	if p.Code == InDoubt && r.Method != http.MethodPost && r.Method != http.MethodDelete {
		p = newProblem(Unavailable, "the nodes did not answer in time: try again")
	}
	if p.cause != nil {
		a.o.Logger.Error("API call failed", "method", r.Method, "path", r.URL.Path, "err", p.cause)
	} else {
		a.o.Logger.LogAttrs(r.Context(), slog.LevelDebug, "API call refused", slog.String("path", r.URL.Path), slog.String("code", string(p.Code)), slog.Any("err", err))
	}
	p.write(w)
	return p.Status
}

func (a *API) call(w http.ResponseWriter, r *http.Request, op *operation, names url.Values) ([]byte, error) {
	c := &call{api: a, w: w, r: r, op: op, names: names}
	if !op.public {
		var err error
		if c.identity, err = a.identify(r); err != nil {
			return nil, err
		}
	}
	if err := c.readQuery(); err != nil {
		return nil, err
	}
	return op.handle(c)
}

// identify says which backend calls; nil where everybody may.
func (a *API) identify(r *http.Request) (*auth.Identity, error) {
	if a.o.Auth != nil {
		return a.o.Auth.Backend(r.Context(), auth.Bearer(r.Header.Get("Authorization")))
	}
	if a.o.Open {
		return nil, nil
	}
	return nil, newProblem(Code(auth.Missing), "this node has no API keys, so that nobody can use its API: add auth.api_keys to its configuration")
}

// bounded returns a context for questions to other nodes.
func (a *API) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, a.o.Timeout)
}
