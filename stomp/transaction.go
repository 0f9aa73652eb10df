package stomp

import (
	"context"
	"fmt"
	"slices"

	"github.com/seed-09a96375/belfry/stomp/frame"
)

// transactions are those of one connection, by name.
type transactions struct {
	open  map[string][]frame.Frame
	bytes int
}

// frameCost is what a frame in a transaction counts beyond its own bytes, so that
// many empty ones are bounded, too.
const frameCost = 128

func (t *transactions) size(f *frame.Frame) int {
	n := frameCost + len(f.Body)
	for _, h := range f.Headers {
		n += len(h.Name) + len(h.Value)
	}
	return n
}

func (c *Conn) begin(f *frame.Frame) error {
	t, name := &c.extra().transactions, f.Value("transaction")
	switch _, exists := t.open[name]; {
	case name == "":
		return invalid("BEGIN without a transaction")
	case exists:
		return invalid("transaction %q has begun already", name)
	case len(t.open) >= c.server.o.MaxTransactions:
		return invalid("more than %d transactions", c.server.o.MaxTransactions)
	}
	if t.open == nil {
		t.open = make(map[string][]frame.Frame)
	}
	t.open[name] = nil
	return nil
}

// collect keeps a frame until its transaction ends.
func (c *Conn) collect(name string, f *frame.Frame) error {
	t := &c.extra().transactions
	frames, ok := t.open[name]
	if !ok {
		return invalid("no transaction %q", name)
	}
	if t.bytes += t.size(f); t.bytes > c.server.o.MaxTransactionBytes {
		return invalid("transactions hold more than %d bytes", c.server.o.MaxTransactionBytes)
	}
	// The bytes of f are its own; the slice of headers is not.
	t.open[name] = append(frames, frame.Frame{Command: f.Command, Headers: slices.Clone(f.Headers), Body: f.Body})
	return nil
}

// take ends a transaction and returns its frames.
func (c *Conn) take(f *frame.Frame) ([]frame.Frame, error) {
	t, name := &c.extra().transactions, f.Value("transaction")
	frames, ok := t.open[name]
	if !ok {
		return nil, invalid("no transaction %q", name)
	}
	delete(t.open, name)
	for i := range frames {
		t.bytes -= t.size(&frames[i])
	}
	return frames, nil
}

// commit does what the frames of a transaction say, in their order. One that fails
// ends the connection: what came before it has been done.
func (c *Conn) commit(ctx context.Context, f *frame.Frame) error {
	frames, err := c.take(f)
	if err != nil {
		return err
	}
	for i := range frames {
		if err := c.perform(ctx, &frames[i]); err != nil {
			r := *asRefusal(err)
			r.message = fmt.Sprintf("frame %d of the transaction: %s", i+1, r.message)
			return &r
		}
	}
	return nil
}

func (c *Conn) abort(f *frame.Frame) error {
	_, err := c.take(f)
	return err
}
