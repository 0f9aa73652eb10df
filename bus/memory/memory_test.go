package memory_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/bustest"
	"github.com/seed-09a96375/belfry/bus/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T) {
	bustest.Run(t, func(*testing.T) bustest.Factory {
		b := memory.New(memory.Options{})
		return bustest.Factory{Bus: func(int) belfry.Bus { return b }}
	})
}

func TestConformanceWithLog(t *testing.T) {
	bustest.Run(t, func(t *testing.T) bustest.Factory {
		b := memory.New(memory.Options{Log: &memory.Log{MaxMessages: 100_000}})
		return bustest.Factory{
			Bus:     func(int) belfry.Bus { return b },
			Keeps:   true,
			Trim:    func(ctx context.Context) error { return publishTooBig(ctx, b) },
			Foreign: offsetOfAnotherBus(t),
		}
	})
}

// publishTooBig leaves the log empty: the message is larger than all it may
// hold.
func publishTooBig(ctx context.Context, b *memory.Bus) error {
	link, err := b.Attach(ctx, &node{id: "trimmer"})
	if err != nil {
		return err
	}
	m := &belfry.Message{Namespace: "/", Data: []byte("[]"), Attachments: [][]byte{make([]byte, 65<<20)}}
	return errors.Join(link.Publish(ctx, m), link.Close(ctx))
}

func offsetOfAnotherBus(t *testing.T) belfry.Offset {
	t.Helper()
	b := memory.New(memory.Options{Log: &memory.Log{}})
	m := &belfry.Message{Namespace: "/", Data: []byte(`["x"]`)}
	if err := attach(t, b, &node{id: "a"}).Publish(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	return m.Offset
}

// node hears everything and does what it is told.
type node struct {
	id      belfry.NodeID
	deliver func(*belfry.Message)
	replied func(*belfry.Reply)
}

func (n *node) ID() belfry.NodeID { return n.id }

func (n *node) Deliver(m *belfry.Message) {
	if n.deliver != nil {
		n.deliver(m)
	}
}

func (n *node) Replied(r *belfry.Reply) {
	if n.replied != nil {
		n.replied(r)
	}
}

func attach(t testing.TB, b belfry.Bus, n belfry.Node) belfry.Link {
	t.Helper()
	link, err := b.Attach(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := link.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return link
}
