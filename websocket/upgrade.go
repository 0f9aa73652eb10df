package websocket

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/seed-09a96375/belfry/poll"
)

// Start is what a connection begins with.
type Start struct {
	// Header is added to the 101 response; the headers of the handshake itself
	// in it are ignored. May be nil. Not kept.
	Header http.Header
	// First are complete frames that leave in the same write as the response.
	// May be empty. Not kept.
	First []byte
	// Bind is called with the new Conn, before any call of the Handler that it
	// returns. It may send and close already. Required.
	Bind func(*Conn) Handler
}

// Upgrade answers the request of w with 101 and makes its connection a Conn of
// the Poller. Nothing of net/http stays referenced. It blocks until the
// response is written, no longer than Options.HandshakeTimeout.
//
// A *HandshakeError says that w cannot be taken over: the caller may still
// answer. After any other error the network connection is closed. In either
// case Bind was not called, or its Handler gets Closed. When Upgrade returns
// nil the Handler may already have been called, Closed included.
func (u *Upgrader) Upgrade(w http.ResponseWriter, h Handshake, s Start) (*Conn, error) {
	if h.accept == "" {
		return nil, &HandshakeError{Status: http.StatusInternalServerError, Message: "no handshake"}
	}
	nc, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, &HandshakeError{Status: http.StatusInternalServerError, Message: "connection cannot be taken over"}
	}
	if err := writeWithin(nc, u.response(h, s), u.o.HandshakeTimeout); err != nil {
		nc.Close()
		return nil, fmt.Errorf("write handshake: %w", err)
	}
	// What a hasty client has sent already.
	read, _ := rw.Reader.Peek(rw.Reader.Buffered())
	return u.add(nc, read, h, s.Bind)
}

// add hands nc over to the poller.
func (u *Upgrader) add(nc net.Conn, read []byte, h Handshake, bind func(*Conn) Handler) (*Conn, error) {
	var c *Conn
	err := u.o.Poller.Add(nc, read, func(pc poll.Conn) poll.Handler {
		c = newConn(u, h, pc)
		c.h = bind(c)
		return (*sink)(c)
	})
	if err != nil {
		return nil, fmt.Errorf("hand over connection: %w", err)
	}
	return c, nil
}

// response is the 101 response and the first frames.
func (u *Upgrader) response(h Handshake, s Start) []byte {
	var b bytes.Buffer
	b.Grow(256 + len(s.First))
	b.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ")
	b.WriteString(h.accept)
	if p := u.Subprotocol(h); p != "" {
		b.WriteString("\r\nSec-WebSocket-Protocol: ")
		b.WriteString(p)
	}
	if h.deflate != declined {
		b.WriteString("\r\nSec-WebSocket-Extensions: ")
		b.WriteString(h.deflate.String())
	}
	b.WriteString("\r\n")
	writeHeader(&b, s.Header)
	b.WriteString("\r\n")
	b.Write(s.First)
	return b.Bytes()
}

// writeHeader writes h without what the handshake itself decides.
func writeHeader(b *bytes.Buffer, h http.Header) {
	if len(h) == 0 {
		return
	}
	// A bytes.Buffer takes everything: there is no error.
	_ = h.WriteSubset(b, map[string]bool{
		"Connection":               true,
		"Upgrade":                  true,
		"Content-Length":           true,
		"Transfer-Encoding":        true,
		"Sec-Websocket-Accept":     true,
		"Sec-Websocket-Protocol":   true,
		"Sec-Websocket-Extensions": true,
	})
}

// writeWithin writes p and leaves nc without deadlines.
func writeWithin(nc net.Conn, p []byte, d time.Duration) error {
	if err := nc.SetDeadline(time.Now().Add(d)); err != nil {
		return err
	}
	if _, err := nc.Write(p); err != nil {
		return err
	}
	return nc.SetDeadline(time.Time{})
}
