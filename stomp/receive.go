package stomp

import (
	"context"

	"github.com/seed-09a96375/belfry/stomp/frame"
	"github.com/seed-09a96375/belfry/websocket"
)

// handle does what a client wants.
func (c *Conn) handle(it item) {
	if it.err != nil {
		c.fail(it.err, "")
		return
	}
	ctx := c.begins()
	defer c.ends()
	f, _ := c.server.frames.Get().(*frame.Frame)
	defer c.server.release(f)
	err := frame.Decode(f, it.raw, c.version)
	if err == nil {
		err = c.execute(ctx, f)
	}
	if err != nil {
		c.fail(err, f.Value("receipt"))
		return
	}
	if id, ok := f.Get("receipt"); ok && f.Command != frame.Connect && f.Command != frame.Stomp {
		c.receipt(string(id))
	}
	if f.Command == frame.Disconnect {
		c.close(websocket.CloseNormal, "")
	}
}

// release gives a frame back, without what it held.
func (s *Server) release(f *frame.Frame) {
	clear(f.Headers)
	f.Body = nil
	s.frames.Put(f)
}

// execute does what a frame says, now or at the end of its transaction.
func (c *Conn) execute(ctx context.Context, f *frame.Frame) error {
	if f.Command == frame.Connect || f.Command == frame.Stomp {
		return c.connect(ctx, f)
	}
	if c.is(fresh) {
		return invalid("%s before CONNECT", f.Command)
	}
	c.limiter.Wait(ctx, c.server.o.MaxFramesPerSecond)
	switch f.Command {
	case frame.Send, frame.Ack, frame.Nack:
		if name, ok := f.Get("transaction"); ok {
			return c.collect(string(name), f)
		}
		return c.perform(ctx, f)
	case frame.Subscribe:
		return c.subscribe(ctx, f)
	case frame.Unsubscribe:
		return c.unsubscribe(f)
	case frame.Begin:
		return c.begin(f)
	case frame.Commit:
		return c.commit(ctx, f)
	case frame.Abort:
		return c.abort(f)
	case frame.Disconnect:
		return nil
	}
	return invalid("a client cannot send %s", f.Command)
}

func (c *Conn) receipt(id string) {
	b := frame.AppendCommand(newBuffer(0), frame.Receipt)
	b = frame.AppendHeader(b, c.version, "receipt-id", id)
	c.write(frame.AppendBody(b, nil))
}
