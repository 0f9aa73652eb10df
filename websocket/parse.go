package websocket

// sink is a Conn as its poll.Conn sees it; so the methods of poll.Handler are
// not part of the Conn that users see.
type sink Conn

// Data takes in what was read. It always returns nil: a connection that must
// end is ended by a close frame.
func (s *sink) Data(p []byte) error {
	c := (*Conn)(s)
	var pings pongs
	err := c.parse(p, &pings)
	c.answer(&pings)
	if err != nil {
		c.fail(err)
	}
	return nil
}

// Closed passes the end on.
func (s *sink) Closed(err error) {
	c := (*Conn)(s)
	c.state.Or(closeSent | deaf)
	code, err := c.outcome(err)
	c.in = nil
	c.h.Closed(code, err)
}

// parse works through p, frame by frame.
func (c *Conn) parse(p []byte, pings *pongs) error {
	for len(p) > 0 && c.state.Load()&deaf == 0 {
		n, err := c.step(p, pings)
		if err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

// step takes the next frame from p, or what is there of it, and returns the
// number of bytes used.
func (c *Conn) step(p []byte, pings *pongs) (int, error) {
	if c.in != nil {
		if c.in.open {
			return c.more(p, pings)
		}
		if c.in.headLen > 0 {
			return c.moreHeader(p, pings)
		}
	}
	h, n, err := parseHeader(p)
	if err != nil {
		return 0, err
	}
	if n == 0 {
		c.incoming().keepHeader(p)
		return len(p), nil
	}
	if err := c.admit(h); err != nil {
		return 0, err
	}
	if h.length > uint64(len(p)-n) {
		c.incoming().openFrame(h)
		return n, nil
	}
	end := n + int(h.length)
	return end, c.frame(h, p[n:end:end], pings)
}

// moreHeader completes a header that began in an earlier read.
func (c *Conn) moreHeader(p []byte, pings *pongs) (int, error) {
	in := c.in
	had := int(in.headLen)
	in.keepHeader(p)
	h, n, err := parseHeader(in.head[:in.headLen])
	if err != nil {
		return 0, err
	}
	if n == 0 {
		return int(in.headLen) - had, nil
	}
	if err := c.admit(h); err != nil {
		return 0, err
	}
	in.headLen = 0
	in.openFrame(h)
	if h.length == 0 {
		return n - had, c.endFrame(pings)
	}
	return n - had, nil
}

// admit judges a header by the state of the connection, before any of its
// payload costs memory.
func (c *Conn) admit(h header) error {
	if h.op.control() || c.state.Load()&closeSent != 0 {
		return nil
	}
	var size, frames int
	within := c.in != nil && c.in.op != 0
	if within {
		size, frames = len(c.in.buf), c.in.frames
	}
	switch {
	case within && h.op != Continuation:
		return violation(CloseProtocol, "new message within a fragmented one")
	case !within && h.op == Continuation:
		return violation(CloseProtocol, "continuation of no message")
	case h.rsv1 && (within || !c.deflate):
		return violation(CloseProtocol, "unexpected RSV1")
	case h.length > uint64(c.u.o.MaxMessage-size):
		return violation(CloseTooBig, "message too big")
	case frames >= c.u.o.MaxFragments:
		return violation(ClosePolicy, "too many fragments")
	}
	return nil
}

// frame handles a frame whose masked payload lies in the read buffer.
func (c *Conn) frame(h header, p []byte, pings *pongs) error {
	if h.op.control() {
		unmask(p, h.key)
		return c.control(h.op, p, pings)
	}
	if c.state.Load()&closeSent != 0 {
		c.in = nil
		return nil
	}
	ascii := unmask(p, h.key)
	if h.fin && (c.in == nil || c.in.op == 0) {
		c.in = nil
		return c.deliver(h.op, p, h.rsv1, ascii)
	}
	in := c.incoming()
	in.begin(h)
	if err := in.add(p, ascii, c.ceiling(h.fin, len(p))); err != nil {
		return err
	}
	return c.endData(h.fin)
}

// more takes the next part of the payload of an open frame.
func (c *Conn) more(p []byte, pings *pongs) (int, error) {
	in := c.in
	n := int(min(uint64(len(p)), in.left))
	p = p[:n:n]
	if c.state.Load()&closeSent != 0 && !in.h.op.control() {
		in.drop()
	} else {
		ascii := unmask(p, in.h.key)
		in.h.key = advance(in.h.key, n)
		if in.h.op.control() {
			in.ctl = append(in.ctl, p...)
		} else if err := in.add(p, ascii, c.ceiling(in.h.fin, int(in.left))); err != nil {
			return 0, err
		}
	}
	if in.left -= uint64(n); in.left > 0 {
		return n, nil
	}
	return n, c.endFrame(pings)
}

// endFrame is called when the payload of the open frame is complete.
func (c *Conn) endFrame(pings *pongs) error {
	in := c.in
	in.open = false
	if !in.h.op.control() {
		return c.endData(in.h.fin)
	}
	p := in.ctl
	in.ctl = nil
	if in.op == 0 {
		c.in = nil
	}
	return c.control(in.h.op, p, pings)
}

// incoming returns in, made if there is none.
func (c *Conn) incoming() *incoming {
	if c.in == nil {
		c.in = new(incoming)
	}
	return c.in
}

// ceiling is the largest size that the buffer of the unfinished message can
// still need: left bytes more if this is its last frame.
func (c *Conn) ceiling(fin bool, left int) int {
	if fin {
		return len(c.in.buf) + left
	}
	return c.u.o.MaxMessage
}
