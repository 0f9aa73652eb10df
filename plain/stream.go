package plain

import (
	"context"
	"fmt"
	"net/http"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/internal/origin"
	"github.com/seed-09a96375/belfry/poll"
)

// Events of a stream that are the server's own.
const (
	streamPrefix = "stream:"
	eventOpen    = streamPrefix + "open"
	eventReset   = streamPrefix + "reset"
	eventError   = streamPrefix + "error"
)

// EventStream serves Server-Sent Events, on whatever path it is mounted.
func (s *Server) EventStream() http.Handler { return http.HandlerFunc(s.serveStream) }

// serveStream answers a request for a stream. What will never work is an error, so
// that an EventSource gives up; what may work later is a stream that ends at once, so
// that it comes back: it does so after no other answer.
func (s *Server) serveStream(w http.ResponseWriter, r *http.Request) {
	if !origin.Allowed(r, s.o.Origins) {
		refuseStream(w, http.StatusForbidden, &Error{Code: codeForbidden, Message: "origin not allowed"})
		return
	}
	s.allowPage(w, r)
	switch r.Method {
	case http.MethodOptions:
		w.WriteHeader(http.StatusNoContent)
		return
	case http.MethodGet:
	default:
		w.Header().Set("Allow", "GET, OPTIONS")
		refuseStream(w, http.StatusMethodNotAllowed, invalid("a stream is asked for by GET"))
		return
	}
	rooms, err := roomsOf(r)
	switch {
	case err != nil:
		refuseStream(w, http.StatusBadRequest, asError(err, codeRequest))
	case !s.conns.Reserve(s.o.MaxConnections):
		s.tryLater(w)
	default:
		s.admitStream(w, r, rooms)
	}
}

// roomsOf reads the query.
func roomsOf(r *http.Request) ([]belfry.Room, error) {
	var rooms []belfry.Room
	for _, name := range r.URL.Query()["room"] {
		rooms = append(rooms, belfry.Room(name))
	}
	return checkRooms(rooms)
}

// lastID is the offset that a client comes back with; nil: none.
func lastID(r *http.Request) *belfry.Offset {
	id := r.Header.Get("Last-Event-ID")
	if id == "" {
		id = r.URL.Query().Get("lastEventId")
	}
	if id == "" {
		return nil
	}
	return (*belfry.Offset)(&id)
}

// admitStream asks who it is, and opens the stream. Its place is reserved.
func (s *Server) admitStream(w http.ResponseWriter, r *http.Request, rooms []belfry.Room) {
	c := newConn(s, newLogin(r), true)
	ctx, cancel := context.WithTimeout(r.Context(), s.o.ConnectTimeout)
	defer cancel()
	err := c.authenticate(ctx, "")
	if err == nil {
		err = c.mayJoin(ctx, rooms, lastID(r))
	}
	if err == nil {
		err = s.openStream(w, r, c, &arrival{rooms: rooms, after: lastID(r), first: true})
	}
	if err == nil {
		return
	}
	s.conns.GiveBack()
	s.counters.refused.Add(1)
	c.turnAway()
	e := asError(err, codeFailed)
	switch {
	case e.again():
		s.tryLater(w)
	case e.Code == codeForbidden:
		refuseStream(w, http.StatusForbidden, e)
	case e.Code == codeFailed:
		refuseStream(w, http.StatusInternalServerError, e)
	default:
		w.Header().Set("WWW-Authenticate", "Bearer")
		refuseStream(w, http.StatusUnauthorized, e)
	}
}

// turnAway ends a client that was admitted and has no connection.
func (c *Conn) turnAway() {
	if c.admits && c.server.o.Closed != nil {
		c.server.o.Closed(c)
	}
}

// beginStream is the first thing that the worker of a stream does.
func (c *Conn) beginStream(ctx context.Context, a *arrival) {
	a.tell = func(how entered) { c.send(c.opening(a, how)) }
	if err := c.enter(ctx, a); err != nil {
		c.server.counters.refused.Add(1)
		c.fail(asError(err, codeFailed), nil)
	}
}

// opened is what a stream begins with.
type opened struct {
	entered
	Rooms []belfry.Room `json:"rooms"`
}

func (c *Conn) opening(a *arrival, how entered) []byte {
	event := eventOpen
	if how.Recovered != nil && !*how.Recovered {
		event = eventReset
	}
	at := how.Offset
	how.Offset = "" // it is the id
	b := fmt.Appendf(nil, "retry: %d\n", c.server.o.Retry.Milliseconds())
	return append(b, streamEvent(event, at, opened{how, append([]belfry.Room{}, a.rooms...)})...)
}

// streamEvent is an event of the server's own. id empty: none.
func streamEvent(name string, id belfry.Offset, data any) []byte {
	var b []byte
	if id != "" {
		b = fmt.Appendf(b, "id: %s\n", id)
	}
	return fmt.Appendf(b, "event: %s\ndata: %s\n\n", name, marshal(data))
}

// tryLater makes an EventSource come back.
func (s *Server) tryLater(w http.ResponseWriter) {
	setStreamHeader(w.Header())
	w.Header().Set("Connection", "close")
	fmt.Fprintf(w, "retry: %d\n: come back later\n\n", s.o.Retry.Milliseconds())
}

func refuseStream(w http.ResponseWriter, status int, e *Error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(marshal(map[string]*Error{"error": e}), '\n'))
}

func setStreamHeader(h http.Header) {
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-cache, no-transform")
	h.Set("X-Accel-Buffering", "no") // nginx would wait for more
}

// allowPage lets pages of other origins read the stream, if they may come (CORS, in
// the Fetch standard). Where any page may, it comes without its visitor's cookies.
func (s *Server) allowPage(w http.ResponseWriter, r *http.Request) {
	page := r.Header.Get("Origin")
	if page == "" || origin.Own(r, page) {
		return
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", page)
	h.Add("Vary", "Origin")
	h.Set("Access-Control-Allow-Headers", "authorization, cache-control, last-event-id")
	for _, p := range s.o.Origins {
		if p != "*" && origin.Fits(page, []string{p}) {
			h.Set("Access-Control-Allow-Credentials", "true")
		}
	}
}

// streamSide is the connection as the poller sees it.
type streamSide struct{ c *Conn }

// Data implements poll.Handler. A client has nothing more to say.
func (streamSide) Data([]byte) error { return nil }

// Closed implements poll.Handler.
func (s streamSide) Closed(err error) { s.c.Closed(0, err) }

// streamOut is the outlet of a stream.
type streamOut struct{ poll.Conn }

// Close sends what waits, and ends the stream.
func (o streamOut) Close(int, string) { o.Finish() }

// Terminate ends it at once.
func (o streamOut) Terminate(err error) { o.Conn.Close(err) }
