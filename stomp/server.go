package stomp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/internal/inbox"
	"github.com/seed-09a96375/belfry/internal/origin"
	"github.com/seed-09a96375/belfry/internal/roster"
	"github.com/seed-09a96375/belfry/internal/wheel"
	"github.com/seed-09a96375/belfry/poll"
	"github.com/seed-09a96375/belfry/stomp/frame"
	"github.com/seed-09a96375/belfry/websocket"
)

// Server serves STOMP clients. It is an http.Handler for whatever path it is
// mounted on; SockJS clients use it by their raw path, such as /stomp/websocket.
// Safe for concurrent use.
type Server struct {
	o        Options
	hub      *hub.Hub
	space    *hub.Space
	poller   poll.Poller
	group    *poll.Group // nil if Options.Poller was given
	upgrader *websocket.Upgrader
	wheel    *wheel.Wheel[*Conn]
	inboxes  *inbox.Group[item]
	frames   sync.Pool // *frame.Frame

	conns    roster.Roster[*Conn]
	messages atomic.Uint64 // message-ids so far
	entered  atomic.Uint64 // clients that were let in
	refused  atomic.Uint64 // and not
	stop     sync.Once
}

// subprotocols as registered for WebSocket. They are for proxies: the version is
// agreed upon by CONNECT.
var subprotocols = [...]string{"v12.stomp", "v11.stomp", "v10.stomp"}

// New makes a front of a node. A Socket.IO server of the same node and namespace is
// made before it: it gives its hub. The caller closes the front, and then the hub.
func New(h *hub.Hub, o Options) (*Server, error) {
	if h == nil {
		return nil, errors.New("stomp: the hub is nil: must be set")
	}
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	s := &Server{o: o, hub: h, space: h.Space(o.Namespace, hub.Hooks{}), poller: o.Poller}
	s.frames.New = func() any { return new(frame.Frame) }
	s.conns.Shared = o.Places
	s.inboxes = inbox.NewGroup[item](inbox.Options{MaxItems: o.MaxInbox, MaxBytes: o.MaxInboxBytes})
	s.wheel = wheel.New(resolution(&o), func(t *wheel.Timer[*Conn]) { t.Owner.onTimer() })
	if err := s.listen(); err != nil {
		return nil, fmt.Errorf("stomp: %w", err)
	}
	s.space.OnLoss(s.lost)
	return s, nil
}

// listen makes what carries connections.
func (s *Server) listen() error {
	if s.poller == nil {
		var err error
		if s.group, err = poll.New(poll.Options{Logger: s.o.Logger}); err != nil {
			return err
		}
		s.poller = s.group
	}
	var err error
	s.upgrader, err = websocket.New(websocket.Options{
		Poller: s.poller, Subprotocols: subprotocols[:],
		MaxMessage: s.o.Limits.MaxHeaderBytes + s.o.Limits.MaxBody + messageSlack,
	})
	if err != nil {
		return errors.Join(err, s.closeGroup(context.Background()))
	}
	return nil
}

// messageSlack is for the NUL and line feeds around a frame.
const messageSlack = 256

// resolution is fine enough for the timeouts to mean what they say.
func resolution(o *Options) time.Duration {
	d := min(o.Heartbeat, o.ConnectTimeout) / 32
	return min(max(d, time.Millisecond), 100*time.Millisecond)
}

// ServeHTTP makes a WebSocket of a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h, err := s.upgrader.Check(r)
	switch {
	case err != nil:
		refuse(w, err)
	case !origin.Allowed(r, s.o.Origins):
		http.Error(w, "origin not allowed", http.StatusForbidden)
	case !s.conns.Reserve(s.o.MaxConnections):
		w.Header().Set("Retry-After", "5")
		http.Error(w, "no more connections", http.StatusServiceUnavailable)
	default:
		s.open(w, r, h)
	}
}

// open takes the connection over. Its place is reserved.
func (s *Server) open(w http.ResponseWriter, r *http.Request, h websocket.Handshake) {
	bound := false
	_, err := s.upgrader.Upgrade(w, h, websocket.Start{Bind: func(ws *websocket.Conn) websocket.Handler {
		bound = true
		c := newConn(s, ws, r)
		if !s.conns.Add(c) {
			c.shutdown()
		}
		return c
	}})
	if !bound {
		s.conns.GiveBack()
	}
	if err != nil && !refuse(w, err) {
		s.o.Logger.Debug("websocket not opened", "remote", r.RemoteAddr, "err", err)
	}
}

// refuse answers with err if it is one that can be answered.
func refuse(w http.ResponseWriter, err error) bool {
	he, ok := errors.AsType[*websocket.HandshakeError](err)
	if !ok {
		return false
	}
	for name, values := range he.Header {
		w.Header()[name] = values
	}
	http.Error(w, "STOMP over WebSocket: "+he.Message, he.Status)
	return true
}

// Stats count the clients of a Server since it was made.
type Stats struct {
	Connected uint64 // that were let in
	Refused   uint64 // that were not
}

// Stats reads the counters. Safe for concurrent use.
func (s *Server) Stats() Stats { return Stats{s.entered.Load(), s.refused.Load()} }

// Connections returns the number of open connections.
func (s *Server) Connections() int { return s.conns.Len() }

// Close refuses new clients, closes the connections of those that are here (1001),
// and waits for the handlers under way. When ctx ends first, what is left is cut
// off and the error is that of ctx.
func (s *Server) Close(ctx context.Context) error {
	for _, c := range s.conns.Close() {
		c.shutdown()
	}
	err := s.conns.Wait(ctx)
	if err != nil {
		for _, c := range s.conns.All() {
			c.ws.Terminate(err)
		}
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), cutTime)
		defer cancel()
		ctx = late
		err = errors.Join(fmt.Errorf("stomp: close: %w", err), s.conns.Wait(late))
	}
	if e := s.inboxes.Wait(ctx); e != nil {
		err = errors.Join(err, fmt.Errorf("stomp: wait for handlers: %w", e))
	}
	s.stop.Do(s.wheel.Close)
	return errors.Join(err, s.closeGroup(ctx))
}

// cutTime is what cutting off may take beyond the time that Close was given.
const cutTime = time.Second

func (s *Server) closeGroup(ctx context.Context) error {
	if s.group == nil {
		return nil
	}
	return s.group.Close(ctx)
}
