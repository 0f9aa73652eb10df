package poll

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// stream is a connection with a goroutine that reads and, while something is to
// be written, one that writes.
//
// The reader tells the handler of the end. If there is none at that time, since
// reading is paused or the peer has ended, one is started for it.
type stream struct {
	group *Group
	nc    net.Conn
	h     Handler

	mu        sync.Mutex
	out       *backlog  // nil while there is none
	began     time.Time // of the write that is under way
	parts     int       // goroutines
	unbound   bool      // bind has not returned
	reading   bool      // there is a reader
	writing   bool      // there is a writer
	paused    bool
	finishing bool // the sending side ends with the queue
	ended     bool // the peer's side has ended
	broken    bool // a write failed; what has arrived is still delivered
	closed    bool
	told      bool // Handler.Closed was called, or is being called
}

// A blocking write does not tell whether the kernel has room: a peer is taken
// to be slow if a write lasts for slowAfter or if slowBytes wait behind it.
const (
	slowAfter = 10 * time.Millisecond
	slowBytes = 64 << 10
)

func (s *stream) start(h Handler, read []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.h, s.unbound = h, false
	if len(read) > 0 {
		s.backlog().first = append([]byte(nil), read...)
	}
	if !s.paused || s.closed {
		s.startReader()
	}
}

// startReader is called under mu.
func (s *stream) startReader() {
	if !s.reading && !s.unbound {
		s.reading = true
		s.parts++
		go s.read()
	}
}

// startWriter is called under mu.
func (s *stream) startWriter() {
	if !s.writing {
		s.writing = true
		s.parts++
		go s.write()
	}
}

func (s *stream) backlog() *backlog {
	if s.out == nil {
		s.out = s.group.borrow()
	}
	return s.out
}

func (s *stream) waiting() bool { return s.out != nil && !s.out.empty() }

func (s *stream) Buffered() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.out == nil {
		return 0
	}
	return s.out.size
}

func (s *stream) PauseRead() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused = true
}

func (s *stream) ResumeRead() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.paused && !s.closed {
		s.paused = false
		s.startReader()
	}
}

func (s *stream) Send(f Frame) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.finishing || s.broken || s.closed {
		return ErrClosed
	}
	if len(f.Data) == 0 {
		return nil
	}
	slow := s.waiting() && s.isSlow(len(f.Data))
	if slow && f.Volatile {
		s.group.drops.volatile.Add(1)
		return ErrDropped
	}
	err := s.backlog().push(f, slow, s.group.opts.MaxQueue, &s.group.drops)
	switch {
	case err == nil:
		s.startWriter()
	case errors.Is(err, ErrSlow):
		s.group.drops.slow.Add(1)
		s.close(ErrSlow)
	}
	return err
}

// isSlow reports whether the peer is too slow for n more bytes to be taken for
// granted.
func (s *stream) isSlow(n int) bool {
	return s.out.size+n > min(slowBytes, s.group.opts.MaxQueue) ||
		(!s.began.IsZero() && time.Since(s.began) > slowAfter)
}

func (s *stream) Finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.finishing && !s.broken && !s.closed {
		s.beginFinish(nil)
		s.startWriter() // ends the sending side, which may block
	}
}

// beginFinish is called under mu.
func (s *stream) beginFinish(reason error) {
	b := s.backlog()
	b.reason = reason
	if b.linger == nil {
		b.linger = time.AfterFunc(s.group.opts.Linger, func() { s.Close(ErrLinger) })
	}
	s.finishing = true
}

// peerEnded is called by the reader.
func (s *stream) peerEnded() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	switch {
	case s.broken:
		s.close(s.out.reason)
	case s.writing:
		// The peer may still read: it gets what was sent before its end was seen.
		if !s.finishing {
			s.beginFinish(io.EOF)
		}
	case s.finishing:
		s.close(nil)
	default:
		s.close(io.EOF)
	}
}

// fail is called under mu when a write did not work. The peer may have sent
// something before it went: the reader closes when it comes to the end of that.
func (s *stream) fail(err error) {
	if s.broken || s.closed {
		return
	}
	s.backlog().queue.reset()
	s.beginFinish(err)
	s.broken = true
	if s.ended || s.paused {
		s.close(err)
	}
}

func (s *stream) Close(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.close(err)
}

// close is called under mu. Closing a socket does not block; what TLS would
// send in addition could, and is what Finish is for.
func (s *stream) close(err error) {
	if s.closed {
		return
	}
	s.closed = true
	b := s.backlog()
	b.queue.reset()
	b.reason = err
	if b.linger != nil {
		b.linger.Stop()
	}
	_ = bare(s.nc).Close()
	s.startReader()
}

// bare returns the connection below TLS.
func bare(c net.Conn) net.Conn {
	if t, ok := c.(interface{ NetConn() net.Conn }); ok {
		return t.NetConn()
	}
	return c
}

// exit is the last that each goroutine calls; the last of the last makes the
// connection leave the group.
func (s *stream) exit() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parts--
	if s.parts == 0 && s.told {
		s.group.streams.left(s)
	}
}

func (s *stream) RemoteAddr() net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	return s.nc.RemoteAddr()
}
