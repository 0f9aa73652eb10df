package engineio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-09a96375/belfry/engineio/packet"
	"github.com/seed-09a96375/belfry/internal/wheel"
	"github.com/seed-09a96375/belfry/poll"
	"github.com/seed-09a96375/belfry/websocket"
)

// Server serves Engine.IO sessions. Safe for concurrent use.
type Server struct {
	o           Options
	accept      func(*Session) Receiver
	maxSessions int // 0: no bound

	poller   poll.Poller
	group    *poll.Group // nil if Options.Poller was given
	upgrader *websocket.Upgrader
	wheel    *wheel.Wheel[*Session]

	index      index
	open       atomic.Int64 // sessions that are open
	closing    atomic.Bool
	stop       sync.Once
	buffers    buffers
	compressor compressor
}

// New checks o and makes a server. accept is called for every new session before
// anything is read from it; it may already send. A nil Receiver ends the session
// at once. Without Options.Poller the server has goroutines from now on: the
// caller owes a Close.
func New(o Options, accept func(*Session) Receiver) (*Server, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if accept == nil {
		return nil, errors.New("engineio: accept is nil: must be set")
	}
	s := &Server{o: o.withDefaults(), accept: accept, maxSessions: ConnectionLimit(o.MaxSessions)}
	s.index.shared = o.Places
	var err error
	s.wheel = wheel.New(resolution(&s.o), fire)
	s.poller = o.Poller
	if s.poller == nil {
		s.group, err = poll.New(poll.Options{MaxQueue: s.o.MaxQueue, Logger: s.o.Logger})
		if err != nil {
			return nil, fmt.Errorf("engineio: %w", err)
		}
		s.poller = s.group
	}
	s.upgrader, err = websocket.New(websocket.Options{
		Poller: s.poller, MaxMessage: s.o.MaxPayload, Deflate: s.o.Deflate,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("engineio: %w", err), s.closeGroup(context.Background()))
	}
	return s, nil
}

// resolution is fine enough for the timeouts to mean what they say, and coarse
// enough to cost nothing.
func resolution(o *Options) time.Duration {
	d := min(o.PingInterval, o.PingTimeout, o.UpgradeTimeout) / 32
	return min(max(d, 5*time.Millisecond), 100*time.Millisecond)
}

// ServeHTTP serves every Engine.IO request, whatever path it is mounted on.
func (s *Server) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if s.o.CORS.Serve(w, req) {
		return
	}
	r := &request{Request: req, query: parseQuery(req.URL.RawQuery), upgrade: AsksWebSocket(req)}
	sess, refused := s.verify(r)
	switch {
	case refused == nil:
		s.serve(w, r, sess)
	case refused.code != CodeSessionUnknown || !s.elsewhere(w, r):
		s.reject(w, r, refused)
	}
}

// serve answers a request that is in order. sess is nil for a handshake.
func (s *Server) serve(w http.ResponseWriter, r *request, sess *Session) {
	switch {
	case r.upgrade && r.way != WebSocket:
		s.refuseWebSocket(w, r)
	case sess == nil:
		s.handshake(w, r)
	case r.upgrade:
		s.tryUpgrade(w, r, sess)
	default:
		sess.servePolling(w, r)
	}
}

// handshake begins a session.
func (s *Server) handshake(w http.ResponseWriter, r *request) {
	p := s.index.reserve(s.maxSessions)
	if p == nil {
		s.reject(w, r, refuse(CodeServerFull, details{}))
		return
	}
	defer p.leave()
	if r.way == WebSocket {
		s.openWebSocket(w, r, p)
		return
	}
	s.openPolling(w, r, p)
}

// openPolling begins a session on long-polling.
func (s *Server) openPolling(w http.ResponseWriter, r *request, p *place) {
	sess := s.newSession(r)
	sess.poll = &polling{polled: s.wheel.Clock()}
	if !s.begin(sess, p) {
		s.reject(w, r, refuse(CodeServerFull, details{}))
		return
	}
	s.o.Cookie.set(w.Header(), sess.ID())
	open := &Message{buf: append(Buffer(0), s.openData(sess, Polling)...)}
	if err := s.answer(w, r, []item{{typ: packet.Open, m: open}}); err != nil {
		sess.drop(ReasonTransportError, err, packet.Close)
	}
}

func (s *Server) newSession(r *request) *Session {
	sess := &Session{
		id: s.o.Tag.newID(), protocol: r.protocol, srv: s,
		hs: newHandshake(r.Request, s.o.KeepHeaders),
	}
	sess.timer.Owner = sess
	sess.gate.enter() // begin leaves
	return sess
}

// begin makes a session known and starts it. It reports false if the server is
// closing.
func (s *Server) begin(sess *Session, p *place) bool {
	if !p.take(sess) {
		return false
	}
	s.open.Add(1)
	sess.recv = s.accept(sess)
	sess.mu.Lock()
	if sess.state == stateOpen {
		sess.startBeat()
	}
	sess.mu.Unlock()
	if sess.recv == nil {
		sess.shut(ReasonForcedClose, nil, directly)
	}
	sess.leave()
	return true
}

// openData is the data of the open packet.
func (s *Server) openData(sess *Session, t Transport) []byte {
	data, _ := json.Marshal(struct { // strings and numbers only
		SID          string   `json:"sid"`
		Upgrades     []string `json:"upgrades"`
		PingInterval int64    `json:"pingInterval"` // milliseconds
		PingTimeout  int64    `json:"pingTimeout"`
		MaxPayload   int      `json:"maxPayload"`
	}{sess.ID(), s.o.upgrades(t), s.o.PingInterval.Milliseconds(), s.o.PingTimeout.Milliseconds(), s.o.MaxPayload})
	return data
}

// Poller returns what carries the WebSockets: Options.Poller, or the server's own,
// which its Close ends.
func (s *Server) Poller() poll.Poller { return s.poller }

// Sessions returns the number of open sessions.
func (s *Server) Sessions() int { return int(s.open.Load()) }

// Each calls f for every session that is open when Each begins. f may call
// anything.
func (s *Server) Each(f func(*Session)) {
	for _, sess := range s.index.all() {
		if sess.isOpen() {
			f(sess)
		}
	}
}

// Close refuses new sessions, ends all others gracefully with
// ReasonServerShutdown, and waits until they and all goroutines are gone. When
// ctx ends first, what is left is cut off and the error is that of ctx.
func (s *Server) Close(ctx context.Context) error { return s.CloseReason(ctx, ReasonServerShutdown) }

// CloseReason is Close with another reason for Receiver.Closed.
func (s *Server) CloseReason(ctx context.Context, r Reason) error {
	s.closing.Store(true)
	s.index.close()
	for _, sess := range s.index.all() {
		sess.shut(r, nil, directly)
		sess.hasten()
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		s.index.left.Wait()
		s.stop.Do(s.wheel.Close)
	}()
	select {
	case <-over:
		return s.closeGroup(ctx)
	case <-ctx.Done():
	}
	for _, sess := range s.index.all() {
		sess.cut()
	}
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), cutTime)
	defer cancel()
	select {
	case <-over:
	case <-late.Done():
	}
	return errors.Join(fmt.Errorf("engineio: close: %w", ctx.Err()), s.closeGroup(late))
}

// cutTime is what cutting off may take beyond the time that Close was given.
const cutTime = time.Second

func (s *Server) closeGroup(ctx context.Context) error {
	if s.group == nil {
		return nil
	}
	return s.group.Close(ctx)
}
