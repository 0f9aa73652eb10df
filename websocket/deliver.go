package websocket

import "unicode/utf8"

// endData is called when a frame of the unfinished message is complete.
func (c *Conn) endData(fin bool) error {
	if c.state.Load()&closeSent != 0 {
		c.in = nil
		return nil
	}
	if !fin {
		return nil
	}
	m := c.in
	c.in = nil
	if m.text() && m.valid != len(m.buf) {
		return violation(CloseInvalidData, "text ends within a character")
	}
	return c.deliver(m.op, m.buf, m.deflated, true)
}

// deliver hands over a whole message. valid says that a text needs no check.
func (c *Conn) deliver(op Opcode, p []byte, deflated, valid bool) error {
	if deflated {
		return c.inflate(op, p)
	}
	if op == Text && !valid && !utf8.Valid(p) {
		return violation(CloseInvalidData, "text is not UTF-8")
	}
	return c.h.Message(op, p)
}

// inflate hands over a whole compressed message.
func (c *Conn) inflate(op Opcode, p []byte) error {
	f := c.u.inflater()
	defer c.u.release(f)
	p, err := f.inflate(p, c.u.o.MaxMessage)
	if err != nil {
		return err
	}
	return c.deliver(op, p, false, false)
}
