package plain

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/seed-09a96375/belfry/poll"
)

// headerTimeout bounds the writing of the response's header.
const headerTimeout = 10 * time.Second

// openStream takes the connection away from net/http, so that an idle stream costs as
// little as an idle WebSocket. The body ends with the connection. Where there is no
// connection to take, with HTTP/2, net/http carries the stream, and a goroutine with
// it. After an error w can still be answered.
func (s *Server) openStream(w http.ResponseWriter, r *http.Request, c *Conn, a *arrival) error {
	setStreamHeader(w.Header())
	nc, _, err := http.NewResponseController(w).Hijack()
	if errors.Is(err, http.ErrNotSupported) {
		return s.relayStream(w, r, c, a)
	}
	if err != nil {
		return err
	}
	if err := writeHeader(nc, w.Header()); err != nil {
		nc.Close()
		s.lostStream(c, err)
		return nil
	}
	if err := s.carry(nc, c, a); err != nil {
		s.lostStream(c, err)
	}
	return nil
}

// lostStream ends a client whose connection broke before it was one.
func (s *Server) lostStream(c *Conn, err error) {
	s.conns.GiveBack()
	c.turnAway()
	s.o.Logger.Debug("event stream not opened", "err", err)
}

// carry gives a connection to the poller.
func (s *Server) carry(nc net.Conn, c *Conn, a *arrival) error {
	return s.poller.Add(nc, nil, func(pc poll.Conn) poll.Handler {
		c.out = streamOut{pc}
		c.open()
		c.push(item{do: func(ctx context.Context) { c.beginStream(ctx, a) }})
		return streamSide{c}
	})
}

// writeHeader begins a response that ends with the connection.
func writeHeader(nc net.Conn, h http.Header) error {
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 200 OK\r\nConnection: close\r\n")
	_ = h.WriteSubset(&b, map[string]bool{"Connection": true, "Content-Length": true, "Transfer-Encoding": true}) // a bytes.Buffer takes everything
	b.WriteString("\r\n")
	if err := nc.SetDeadline(time.Now().Add(headerTimeout)); err != nil {
		return err
	}
	if _, err := nc.Write(b.Bytes()); err != nil {
		return err
	}
	return nc.SetDeadline(time.Time{})
}

// relayStream gives the poller one end of a pipe, and writes what comes out of the
// other.
func (s *Server) relayStream(w http.ResponseWriter, r *http.Request, c *Conn, a *arrival) error {
	near, far := net.Pipe()
	defer far.Close()
	if err := s.carry(near, c, a); err != nil {
		return err
	}
	defer context.AfterFunc(r.Context(), func() { far.Close() })()
	out := http.NewResponseController(w)
	buf := make([]byte, 4<<10)
	for {
		n, err := far.Read(buf)
		if n > 0 {
			if _, err := w.Write(buf[:n]); err != nil || out.Flush() != nil {
				return nil
			}
		}
		if err != nil {
			return nil
		}
	}
}
