package engineio

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"os"
	"time"

	"github.com/seed-09a96375/belfry/engineio/packet"
)

var (
	errTooLarge    = errors.New("body larger than MaxPayload")
	errContentType = errors.New("invalid content")
)

// servePOST takes in what the client sends.
func (s *Session) servePOST(w http.ResponseWriter, r *request) {
	if status := s.beginPOST(); status != 0 {
		w.WriteHeader(status)
		return
	}
	status := s.readPOST(w, r)
	s.endPOST() // before the client can know that its POST is over
	if status != http.StatusOK {
		w.WriteHeader(status)
		return
	}
	s.srv.success(w, r, "text/html")
	writeBody(w, status, []byte("ok"))
}

// beginPOST makes a POST the one under way. It returns a status other than 0 if
// the session has no use for it.
func (s *Session) beginPOST() int {
	s.mu.Lock()
	if s.state == stateClosed || s.poll == nil {
		s.mu.Unlock()
		return http.StatusBadRequest
	}
	overlap := s.poll.posting
	s.poll.posting = true
	s.mu.Unlock()
	if overlap {
		s.drop(ReasonTransportError, errOverlap, packet.Close)
		return http.StatusBadRequest
	}
	return 0
}

func (s *Session) endPOST() {
	s.mu.Lock()
	s.poll.posting = false
	u := s.poll.upgrade
	s.mu.Unlock()
	if u != nil {
		u.postEnded()
	}
}

// readPOST reads the body and acts on its packets. It returns the status of the
// answer.
func (s *Session) readPOST(w http.ResponseWriter, r *request) int {
	contentType := r.Header.Get("Content-Type")
	binary := contentType == "application/octet-stream"
	if binary && s.protocol == 4 {
		s.drop(ReasonTransportError, errContentType, packet.Close)
		return http.StatusBadRequest
	}
	b := s.srv.buffers.get()
	defer s.srv.buffers.put(b)
	err := s.srv.readBody(b, w, r)
	if errors.Is(err, errTooLarge) {
		return http.StatusRequestEntityTooLarge // the session stays
	}
	if err != nil {
		s.drop(ReasonTransportError, fmt.Errorf("read POST: %w", err), packet.Close)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return http.StatusRequestTimeout
		}
		return http.StatusBadRequest
	}
	packets, err := s.decode(b.payload, binary, r.hasJSONP)
	if err == nil {
		err = s.receiveAll(packets)
	}
	if err != nil {
		s.drop(ReasonParseError, err, packet.Close)
		return http.StatusBadRequest
	}
	s.waitResumed()
	return http.StatusOK
}

// decode returns the packets in a body.
func (s *Session) decode(body []byte, binary, jsonp bool) (iter.Seq2[packet.Packet, error], error) {
	if jsonp {
		var err error
		if body, err = packet.DecodeJSONP(body); err != nil {
			return nil, err
		}
	}
	switch {
	case s.protocol != 3:
		return packet.Payload(body), nil
	case binary:
		return packet.PayloadV3Binary(body), nil
	default:
		return packet.PayloadV3(body), nil
	}
}

// receiveAll acts on packets up to the first error, waiting while the session is
// paused.
func (s *Session) receiveAll(packets iter.Seq2[packet.Packet, error]) error {
	for p, err := range packets {
		if err != nil {
			return err
		}
		s.waitResumed()
		s.receive(p)
	}
	return nil
}

// waitResumed returns once the session is not paused, or is closed.
func (s *Session) waitResumed() {
	for {
		s.mu.Lock()
		if !s.paused || s.state != stateOpen {
			s.mu.Unlock()
			return
		}
		if s.poll.resumed == nil {
			s.poll.resumed = make(chan struct{})
		}
		resumed := s.poll.resumed
		s.mu.Unlock()
		<-resumed
	}
}

// wakePOST lets a POST that waits look again. s.mu is held.
func (s *Session) wakePOST() {
	if p := s.poll; p != nil && p.resumed != nil {
		close(p.resumed)
		p.resumed = nil
	}
}

// readBody reads the body into b.payload, within ReadTimeout. Memory grows with
// what arrives, whatever length is announced. After an error the deadline stays:
// it bounds what the HTTP server still reads of the body.
func (s *Server) readBody(b *buffer, w http.ResponseWriter, r *request) error {
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Now().Add(s.o.ReadTimeout)) // not every ResponseWriter can
	if r.ContentLength > int64(s.o.MaxPayload) {
		return s.discard(r.Body)
	}
	body := b.payload[:0]
	for {
		if len(body) == cap(body) {
			body = append(body, 0)[:len(body)]
		}
		n, err := r.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		b.payload = body
		if len(body) > s.o.MaxPayload {
			return s.discard(r.Body)
		}
		if err == io.EOF {
			_ = rc.SetReadDeadline(time.Time{}) // it would end the request while it waits for Resume
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// discard reads some of what is too much, so that a client that sends all before
// it reads gets to see the answer.
func (s *Server) discard(body io.Reader) error {
	_, _ = io.CopyN(io.Discard, body, int64(s.o.MaxPayload)) // as far as it goes
	return errTooLarge
}
