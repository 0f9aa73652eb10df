package engineio

import (
	"errors"
	"net/http"
	"time"

	"github.com/seed-09a96375/belfry/engineio/packet"
	"github.com/seed-09a96375/belfry/internal/wheel"
	"github.com/seed-09a96375/belfry/poll"
	"github.com/seed-09a96375/belfry/websocket"
)

// polling is what a session needs while its packets go over HTTP. Guarded by
// Session.mu.
type polling struct {
	queue   queue
	get     *pendingGET   // until its goroutine has taken what it answers with
	posting bool          // a POST is under way
	resumed chan struct{} // not nil: the POST waits for Resume
	upgrade *upgrade      // not nil: a WebSocket is being tried
	timer   timer         // waits for the last GET
	polled  wheel.Tick    // when a GET, or the handshake, was answered last
}

// pendingGET waits for something to answer with.
type pendingGET struct {
	ready chan struct{} // closed by wake
	woken bool
	// last, if not 0, is the type of the only packet that it is answered with:
	// what waits in the queue is not for it.
	last packet.Type
}

// lingerTime is how long a closed session waits for a GET to take what was sent
// before, closingLinger how long if the server closes. A client that has not
// polled for that time is not between two GETs, but gone.
const (
	lingerTime    = 30 * time.Second
	closingLinger = time.Second
)

var (
	errOverlap = errors.New("overlapping requests")
	errAborted = errors.New("poll connection closed prematurely")
	errCut     = errors.New("server closed")
)

func (p *pendingGET) wake() {
	if !p.woken {
		p.woken = true
		close(p.ready)
	}
}

func (p *polling) wakeGET() {
	if p.get != nil {
		p.get.wake()
	}
}

// enqueue is Send while packets go over HTTP.
func (s *Session) enqueue(m *Message, o SendOptions) error {
	s.mu.Lock()
	if c := s.ws.Load(); c != nil { // upgraded meanwhile
		s.mu.Unlock()
		return s.sendFrames(c, m, o)
	}
	if s.state != stateOpen {
		s.mu.Unlock()
		return poll.ErrClosed
	}
	err := s.poll.offer(m, o, s.srv.o.MaxQueue)
	s.mu.Unlock()
	if errors.Is(err, poll.ErrSlow) {
		s.dropAs(ReasonTransportError, err, packet.Close, aside)
	}
	return err
}

func (p *polling) offer(m *Message, o SendOptions, limit int) error {
	if o.Volatile && p.get == nil {
		return poll.ErrDropped
	}
	i := item{typ: packet.Message, m: m, key: o.Key, overflow: o.Overflow, noCompress: o.NoCompress}
	if err := p.queue.offer(i, limit, p.get == nil); err != nil {
		return err
	}
	p.wakeGET()
	return nil
}

// linger waits for a GET that takes what was sent and the news that the session
// is closed. s.mu is held, packets go over HTTP.
func (s *Session) linger() {
	s.poll.timer = timer{Owner: s, Kind: timerLinger}
	s.srv.wheel.Arm(&s.poll.timer, lingerTime)
	s.poll.wakeGET()
}

// hasten has a session that lingers do so only for as long as a server that
// closes can wait: not at all for a client that is gone or has missed nothing.
func (s *Session) hasten() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != stateClosing {
		return
	}
	d := closingLinger
	if p := s.poll; p.get == nil && p.upgrade == nil &&
		(p.queue.empty() || s.srv.wheel.Clock()-p.polled > s.srv.wheel.Ticks(closingLinger)) {
		d = 0
	}
	s.srv.wheel.Arm(&s.poll.timer, d)
}

func (s *Session) onLinger() { s.drop(ReasonForcedClose, nil, packet.Close) }

// dropPolling ends everything that hangs on the polling transport. It returns
// the WebSocket that was being tried, if any: the caller gives it to leavePolling
// once s.mu is not held any more, as it is now.
func (s *Session) dropPolling(last packet.Type) *websocket.Conn {
	p := s.poll
	s.srv.wheel.Stop(&p.timer)
	if p.get != nil {
		p.get.last = last
		p.get.wake()
	}
	p.queue.take()
	return s.abandonUpgrade()
}

// leavePolling follows dropPolling. The session is forgotten last: a server that
// closes waits for that, and then cuts off what is still open.
func (s *Session) leavePolling(tried *websocket.Conn) {
	if tried != nil {
		tried.Close(websocket.CloseNoStatus, "")
	}
	s.release()
}

// servePolling answers a GET or a POST of an established session.
func (s *Session) servePolling(w http.ResponseWriter, r *request) {
	switch r.Method {
	case http.MethodGet:
		s.serveGET(w, r)
	case http.MethodPost:
		s.servePOST(w, r)
	default:
		w.WriteHeader(http.StatusInternalServerError)
	}
}

// success sets the headers that every successful answer has.
func (s *Server) success(w http.ResponseWriter, r *request, contentType string) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-store")
	if isOldIE(r.UserAgent()) {
		h.Set("X-XSS-Protection", "0")
	}
	if s.o.Headers != nil {
		s.o.Headers(h, r.Request, !r.hasSID)
	}
}
