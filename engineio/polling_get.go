package engineio

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-09a96375/belfry/engineio/packet"
)

// serveGET answers with what waits for the client, or waits for it.
func (s *Session) serveGET(w http.ResponseWriter, r *request) {
	g, status := s.beginGET()
	if g == nil {
		w.WriteHeader(status)
		return
	}
	// A deadline of the HTTP server for reading would end the wait.
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	select {
	case <-g.ready:
	case <-r.Context().Done():
	}
	if r.Context().Err() != nil {
		s.abortGET(g)
		return
	}
	items := s.take(g)
	if err := s.srv.answer(w, r, items); err != nil {
		s.drop(ReasonTransportError, err, packet.Close)
	}
}

// beginGET makes a GET the one that waits. It returns nil and a status if the
// session has no use for it.
func (s *Session) beginGET() (*pendingGET, int) {
	s.mu.Lock()
	p := s.poll
	if s.state == stateClosed || p == nil {
		s.mu.Unlock()
		return nil, http.StatusBadRequest
	}
	if p.get != nil {
		s.mu.Unlock()
		s.drop(ReasonTransportError, errOverlap, packet.Close)
		return nil, http.StatusBadRequest
	}
	defer s.mu.Unlock()
	g := &pendingGET{ready: make(chan struct{})}
	p.get = g
	if !p.queue.empty() || s.state == stateClosing {
		g.wake()
	} else if p.upgrade != nil {
		s.releaseGET()
	}
	return g, 0
}

// abortGET: the client is gone while its GET waited.
func (s *Session) abortGET(g *pendingGET) {
	s.mu.Lock()
	mine := s.poll != nil && s.poll.get == g
	if mine {
		s.poll.get = nil
	}
	s.mu.Unlock()
	if mine {
		s.drop(ReasonTransportError, errAborted, packet.Close)
	}
}

// take returns what a woken GET is answered with: never nothing.
func (s *Session) take(g *pendingGET) []item {
	s.mu.Lock()
	if g.last != 0 {
		s.mu.Unlock()
		return []item{{typ: g.last}}
	}
	p := s.poll
	p.get, p.polled = nil, s.srv.wheel.Clock()
	items := p.queue.take()
	idle := len(items) == 0
	if idle {
		items = append(items, item{typ: packet.Noop})
	}
	// The reference client acts on a close packet before the messages in front
	// of it: the close packet waits for the next GET.
	if s.state != stateClosing || !idle {
		s.mu.Unlock()
		return items
	}
	s.state = stateClosed
	c := s.dropPolling(packet.Close)
	s.mu.Unlock()
	s.leavePolling(c)
	return append(items, item{typ: packet.Close})
}

// answer writes items as the answer to a GET, within WriteTimeout.
func (s *Server) answer(w http.ResponseWriter, r *request, items []item) error {
	b := s.buffers.get()
	defer s.buffers.put(b)
	contentType := "text/plain; charset=UTF-8"
	if b.encode(items, r) {
		contentType = "application/octet-stream"
	}
	s.success(w, r, contentType)
	body := b.payload
	if coding := s.coding(r, items, body); coding != "" {
		b.compressed.Reset()
		if err := s.compressor.compress(&b.compressed, coding, body); err != nil {
			return err
		}
		w.Header().Set("Content-Encoding", coding)
		body = b.compressed.Bytes()
	}
	return s.write(w, body)
}

// write sends the body within WriteTimeout and reports whether it left.
func (s *Server) write(w http.ResponseWriter, body []byte) error {
	rc := http.NewResponseController(w)
	_ = rc.SetWriteDeadline(time.Now().Add(s.o.WriteTimeout)) // not every ResponseWriter can
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if _, err := w.Write(body); err != nil {
		return err
	}
	if err := rc.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	_ = rc.SetWriteDeadline(time.Time{}) // the connection serves other requests, too
	return nil
}

func (s *Server) coding(r *request, items []item, body []byte) string {
	if s.o.HTTPCompression < 0 || len(body) < s.o.HTTPCompression {
		return ""
	}
	if !slices.ContainsFunc(items, func(i item) bool { return !i.noCompress }) {
		return ""
	}
	return negotiate(r.Header["Accept-Encoding"])
}

// encode puts the payload into b and reports whether it has binary form.
func (b *buffer) encode(items []item, r *request) (binary bool) {
	b.packets = b.packets[:0]
	for _, i := range items {
		if i.m == nil {
			b.packets = append(b.packets, packet.Packet{Type: i.typ})
		} else {
			b.packets = i.m.packets(b.packets, i.typ)
		}
	}
	b.payload, binary = appendPayload(b.payload[:0], b.packets, r.protocol, r.base64 || r.hasJSONP)
	clear(b.packets)
	if r.hasJSONP {
		b.script = packet.AppendJSONP(b.script[:0], r.jsonp, b.payload)
		b.payload, b.script = b.script, b.payload
	}
	return binary
}

func appendPayload(dst []byte, ps []packet.Packet, protocol uint8, base64 bool) ([]byte, bool) {
	switch {
	case protocol != 3:
		return packet.AppendPayload(dst, ps...), false
	case base64 || !slices.ContainsFunc(ps, func(p packet.Packet) bool { return p.Binary }):
		return packet.AppendPayloadV3(dst, ps...), false
	default:
		return packet.AppendPayloadV3Binary(dst, ps...), true
	}
}

// isOldIE: these browsers would change answers that look like an attack.
func isOldIE(userAgent string) bool {
	return strings.Contains(userAgent, ";MSIE") || strings.Contains(userAgent, "Trident/")
}
