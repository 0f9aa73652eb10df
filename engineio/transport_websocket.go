package engineio

import (
	"errors"
	"maps"
	"net/http"

	"github.com/seed-09a96375/belfry/engineio/packet"
	"github.com/seed-09a96375/belfry/poll"
	"github.com/seed-09a96375/belfry/websocket"
)

// Packets without data as frames.
var (
	pingFrame  = websocket.AppendFrame(nil, websocket.Text, []byte("2"))
	pongFrame  = websocket.AppendFrame(nil, websocket.Text, []byte("3"))
	probeFrame = websocket.AppendFrame(nil, websocket.Text, []byte("3probe"))
)

// socket is the handler of a WebSocket.
type socket struct {
	s *Session
	// up is not nil while the WebSocket may become the session's transport. Only
	// the calls of websocket.Handler touch it.
	up *upgrade
}

func (k *socket) Message(op websocket.Opcode, p []byte) error {
	if k.up != nil {
		if k.up.message(op, p) {
			return nil
		}
		k.up = nil // it is the transport now
	}
	k.s.frame(op, p)
	return nil
}

func (k *socket) Closed(_ int, err error) {
	if k.up != nil && !k.up.ended() {
		return
	}
	k.s.socketClosed(err)
}

// frame acts on one frame of the session's WebSocket.
func (s *Session) frame(op websocket.Opcode, p []byte) {
	pk, err := decodeFrame(s.protocol, op, p)
	if err != nil {
		s.drop(ReasonParseError, err, packet.Close)
		return
	}
	s.receive(pk)
}

func decodeFrame(protocol uint8, op websocket.Opcode, p []byte) (packet.Packet, error) {
	switch {
	case protocol == 3 && op == websocket.Binary:
		return packet.DecodeV3Binary(p)
	case protocol == 3:
		return packet.DecodeV3(p)
	case op == websocket.Binary:
		return packet.Packet{Type: packet.Message, Binary: true, Data: p}, nil
	default:
		return packet.Decode(p)
	}
}

// socketClosed: the session's WebSocket is gone.
func (s *Session) socketClosed(err error) {
	s.drop(socketReason(err), err, packet.Close)
	s.release()
}

// socketReason: a broken connection is a close, as is an orderly end; only what
// one side did wrong is an error.
func socketReason(err error) Reason {
	if _, wrong := errors.AsType[*websocket.CloseError](err); wrong || errors.Is(err, poll.ErrSlow) {
		return ReasonTransportError
	}
	return ReasonTransportClose
}

// sendFrames is Send while packets go over a WebSocket.
func (s *Session) sendFrames(c *websocket.Conn, m *Message, o SendOptions) error {
	f := poll.Frame{Key: o.Key, Overflow: o.Overflow, Volatile: o.Volatile, Cork: o.Cork}
	if !o.NoCompress && c.Compresses(m.size) {
		f.Data = m.deflated(s.protocol)
	} else {
		f.Data = m.frames(s.protocol)
	}
	return c.Send(f)
}

// sendItem sends what waited for a GET.
func (s *Session) sendItem(c *websocket.Conn, i item) {
	if i.m == nil {
		sendControl(c, i.typ)
		return
	}
	// Closed tells of a connection that is gone, or too slow.
	_ = s.sendFrames(c, i.m, SendOptions{NoCompress: i.noCompress, Overflow: i.overflow, Key: i.key})
}

// sendControl sends a heartbeat. When the client is so far behind that there is
// no room for it, it has other problems, and time until the deadline.
func sendControl(c *websocket.Conn, t packet.Type) {
	f := poll.Frame{Data: pingFrame, Overflow: poll.DropOldest}
	if t == packet.Pong {
		f.Data = pongFrame
	}
	_ = c.Send(f) // Closed tells of a connection that is gone
}

// openWebSocket begins a session on a WebSocket.
func (s *Server) openWebSocket(w http.ResponseWriter, r *request, p *place) {
	h, ok := s.check(w, r)
	if !ok {
		return
	}
	sess := s.newSession(r)
	s.takeOver(w, r, h, websocket.Start{
		First: websocket.AppendFrame(nil, websocket.Text, append([]byte{'0'}, s.openData(sess, WebSocket)...)),
		Bind: func(c *websocket.Conn) websocket.Handler {
			sess.ws.Store(c)
			if !s.begin(sess, p) {
				c.Close(websocket.CloseNoStatus, "")
				return turnedAway{}
			}
			return &socket{s: sess}
		},
	})
}

// refuseWebSocket takes a WebSocket and closes it at once: what the reference
// implementation does where a WebSocket makes no sense.
func (s *Server) refuseWebSocket(w http.ResponseWriter, r *request) {
	if h, ok := s.check(w, r); ok {
		s.takeOver(w, r, h, websocket.Start{Bind: func(c *websocket.Conn) websocket.Handler {
			c.Close(websocket.CloseNoStatus, "")
			return turnedAway{}
		}})
	}
}

// turnedAway is the handler of a WebSocket that was closed at once.
type turnedAway struct{}

func (turnedAway) Message(websocket.Opcode, []byte) error { return nil }
func (turnedAway) Closed(int, error)                      {}

// check answers a request that breaks the rules of WebSocket.
func (s *Server) check(w http.ResponseWriter, r *request) (websocket.Handshake, bool) {
	h, err := s.upgrader.Check(r.Request)
	if err != nil {
		refuseHandshake(w, err)
		return h, false
	}
	return h, true
}

// takeOver makes the request's connection a WebSocket.
func (s *Server) takeOver(w http.ResponseWriter, r *request, h websocket.Handshake, start websocket.Start) {
	start.Header = w.Header()
	if s.o.Headers != nil {
		s.o.Headers(start.Header, r.Request, !r.hasSID)
	}
	if _, err := s.upgrader.Upgrade(w, h, start); err != nil {
		if !refuseHandshake(w, err) {
			s.o.Logger.Debug("websocket not opened", "remote", r.RemoteAddr, "error", err)
		}
	}
}

// refuseHandshake answers with err if it is one that can be answered.
func refuseHandshake(w http.ResponseWriter, err error) bool {
	he, ok := errors.AsType[*websocket.HandshakeError](err)
	if !ok {
		return false
	}
	h := w.Header()
	maps.Copy(h, he.Header)
	h.Set("Connection", "close")
	h.Set("Content-Type", "text/html")
	writeBody(w, he.Status, []byte(he.Message))
	return true
}
