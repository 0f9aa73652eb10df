package websocket

import "github.com/seed-09a96375/belfry/poll"

// control handles a control frame; its payload is lent.
func (c *Conn) control(op Opcode, p []byte, pings *pongs) error {
	switch op {
	case Ping:
		pings.add(p)
	case Pong:
		if h, ok := c.h.(PongHandler); ok && c.state.Load()&closeSent == 0 {
			h.Pong(p)
		}
	default:
		code, err := parseClose(p)
		if err != nil {
			return err
		}
		c.answer(pings) // a pong may not follow the close frame
		c.peerCloses(code)
	}
	return nil
}

// pongBatch is the number of bytes from which on the pings of one read share a
// pong.
const pongBatch = 1024

// pongs collects the answers to the pings of one read. They leave in one write.
// When there are many, only the latest of the rest is answered, which RFC 6455
// section 5.5.3 allows: a flood of pings costs a bounded answer.
type pongs struct {
	buf  []byte
	last int // where the latest begins in buf
}

func (g *pongs) add(payload []byte) {
	if len(g.buf) >= pongBatch {
		g.buf = g.buf[:g.last]
	}
	g.last = len(g.buf)
	g.buf = AppendFrame(g.buf, Pong, payload)
}

// answer sends the pongs. One that still waits for a slow peer is replaced.
func (c *Conn) answer(g *pongs) {
	if len(g.buf) == 0 {
		return
	}
	// An error ends the connection by itself or means that it has ended.
	_ = c.Send(poll.Frame{Data: g.buf, Key: pongKey, Overflow: poll.KeepLatest})
	*g = pongs{} // the bytes belong to the queue now
}
