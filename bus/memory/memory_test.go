package memory_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
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
		return bustest.Factory{Bus: func(int) belfry.Bus { return b }, Addresses: true, Batches: true}
	})
}

func TestConformanceWithLog(t *testing.T) {
	bustest.Run(t, func(t *testing.T) bustest.Factory {
		b := memory.New(memory.Options{Log: &memory.Log{MaxMessages: 100_000}})
		return bustest.Factory{
			Bus:   func(int) belfry.Bus { return b },
			Keeps: true, Addresses: true, Batches: true,
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

func message(rooms ...belfry.Room) *belfry.Message {
	return &belfry.Message{Namespace: "/", Target: belfry.Target{Rooms: rooms}, Data: []byte(`["x"]`)}
}

func TestAttachRefuses(t *testing.T) {
	b := memory.New(memory.Options{})
	first := attach(t, b, &node{id: "a"})
	for what, id := range map[string]belfry.NodeID{"an id that is in use": "a", "no id": ""} {
		if _, err := b.Attach(t.Context(), &node{id: id}); err == nil {
			t.Errorf("%s is accepted", what)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Attach(ended, &node{id: "b"}); !errors.Is(err, context.Canceled) {
		t.Errorf("attach with an ended context: %v", err)
	}
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	attach(t, b, &node{id: "a"}) // free again
}

func TestLinkKeepsOnlyWithALog(t *testing.T) {
	for _, o := range []memory.Options{{}, {Log: &memory.Log{}}} {
		link := attach(t, memory.New(o), &node{id: "a"})
		_, logs := link.(belfry.Log)
		_, keeps := link.(belfry.Sessions)
		if want := o.Log != nil; logs != want || keeps != want {
			t.Errorf("log %v: link has a log: %v, sessions: %v", want, logs, keeps)
		}
	}
}

// TestFailedPublishReachesNobody is more than the contract asks of a bus.
func TestFailedPublishReachesNobody(t *testing.T) {
	b := memory.New(memory.Options{Log: &memory.Log{}})
	count := 0
	link := attach(t, b, &node{id: "a", deliver: func(*belfry.Message) { count++ }})
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := link.Publish(ended, message("room")); !errors.Is(err, context.Canceled) {
		t.Errorf("publish with an ended context: %v", err)
	}
	at, err := link.(belfry.Log).Position(t.Context())
	if err != nil || count != 0 {
		t.Fatalf("%d delivered, position error %v", count, err)
	}
	m := message("room")
	if err := link.Publish(t.Context(), m); err != nil || !link.(belfry.Log).Before(at, m.Offset) {
		t.Errorf("publish afterwards: %v, offset %s after %s", err, m.Offset, at)
	}
}

// TestUnloggedKeepsOrderWithLogged: an unlogged message of a room that a logged
// one holds comes second, one of another room does not wait.
func TestUnloggedKeepsOrderWithLogged(t *testing.T) {
	b := memory.New(memory.Options{Log: &memory.Log{}})
	entered, release := make(chan struct{}), make(chan struct{})
	var order []string
	link := attach(t, b, &node{id: "a", deliver: func(m *belfry.Message) {
		switch {
		case !m.Unlogged:
			close(entered)
			<-release
			order = append(order, "logged")
		case m.Target.Rooms[0] == "room":
			order = append(order, "unlogged")
		}
	}})
	var publishing sync.WaitGroup
	publish := func(m *belfry.Message) {
		publishing.Go(func() {
			if err := link.Publish(t.Context(), m); err != nil {
				t.Error(err)
			}
		})
	}
	publish(message("room"))
	<-entered
	same, other := message("room"), message("other")
	same.Unlogged, other.Unlogged = true, true
	publish(same)
	// Two rooms share a turn once in 64 times; then this would wait, rightly.
	for i := 0; ; i++ {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		err := link.Publish(ctx, other)
		cancel()
		if err == nil {
			break
		}
		if i == 5 {
			t.Fatal("an unlogged message waits for a logged one of another room")
		}
		other.Target.Rooms = []belfry.Room{belfry.Room(fmt.Sprint("other", i))}
	}
	close(release)
	publishing.Wait()
	if !slices.Equal(order, []string{"logged", "unlogged"}) {
		t.Errorf("delivered %v", order)
	}
}

func TestPanickingNodeLeavesTheBusUsable(t *testing.T) {
	b := memory.New(memory.Options{Log: &memory.Log{}})
	fail := true
	bad := attach(t, b, &node{id: "bad", deliver: func(*belfry.Message) {
		if fail {
			panic("node")
		}
	}})
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = bad.Publish(t.Context(), message("room"))
	}()
	fail = false
	if err := bad.Publish(t.Context(), message("room")); err != nil {
		t.Error(err)
	}
}

func TestOptionsValidate(t *testing.T) {
	good := []memory.Options{{}, {Log: &memory.Log{}}}
	bad := []memory.Options{
		{Log: &memory.Log{MaxMessages: -1}},
		{Log: &memory.Log{MaxBytes: -1}},
		{Log: &memory.Log{MaxAge: -1}},
		{Log: &memory.Log{MaxSessions: -1}},
	}
	for _, o := range good {
		if err := o.Validate(); err != nil {
			t.Error(err)
		}
	}
	for _, o := range bad {
		if o.Validate() == nil {
			t.Errorf("%+v is accepted", *o.Log)
		}
	}
}
