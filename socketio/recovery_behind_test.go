package socketio_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/internal/fronttest"
	"github.com/seed-09a96375/belfry/socketio"
)

// slowFeed is a bus whose messages reach the node only when it is told.
type slowFeed struct {
	belfry.Bus
	mu      sync.Mutex
	node    belfry.Node
	waiting []*belfry.Message
	behind  bool
}

func (b *slowFeed) Attach(ctx context.Context, n belfry.Node) (belfry.Link, error) {
	b.node = n
	return b.Bus.Attach(ctx, slowNode{n, b})
}

// stop keeps back what is published from now on.
func (b *slowFeed) stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.behind = true
}

// goOn delivers it.
func (b *slowFeed) goOn() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.behind = false
	for _, m := range b.waiting {
		b.node.Deliver(m)
	}
	b.waiting = nil
}

type slowNode struct {
	belfry.Node
	feed *slowFeed
}

func (n slowNode) Deliver(m *belfry.Message) {
	n.feed.mu.Lock()
	defer n.feed.mu.Unlock()
	if n.feed.behind {
		n.feed.waiting = append(n.feed.waiting, m)
		return
	}
	n.Node.Deliver(m)
}

// TestRecoveredWhereTheFeedIsBehind: a client may have more of the log than the node
// that it comes back to.
func TestRecoveredWhereTheFeedIsBehind(t *testing.T) {
	bus := memory.New(memory.Options{Log: &memory.Log{}})
	feed := &slowFeed{Bus: bus}
	a := newNode(t, socketio.Options{Bus: bus, Recovery: &socketio.Recovery{}})
	b := newNode(t, socketio.Options{Bus: feed, Recovery: &socketio.Recovery{}})

	c := dial(t, a)
	id, pid := c.connectSession("/", "")
	feed.stop()
	mustEmit(t, a.Emit(bg, "one"))
	last := offsetOf(t, c.read())
	_ = c.ws.CloseNow()
	fronttest.Eventually(t, "the node notices", func() bool { return a.Len() == 0 })

	c = dial(t, b)
	c.send(fmt.Sprintf(`40{"pid":%q,"offset":%q}`, pid, last))
	if sid, _ := c.hello("40", c.read()); sid != id {
		t.Fatalf("came back as %s, want %s", sid, id)
	}
	feed.goOn()
	mustEmit(t, a.Emit(bg, "two"))
	if p := c.read(); eventName(p) != "two" {
		t.Errorf("got %q, want what is new", p)
	}
}

// TestRecoveredAfterMuch: what a client missed may be more than its queue takes, and
// more than one connection lasts for.
func TestRecoveredAfterMuch(t *testing.T) {
	const messages = 200
	nodes := cluster(t, 2, socketio.Options{Recovery: &socketio.Recovery{}})
	c := dial(t, nodes[0])
	id, pid := c.connectSession("/", "")
	mustEmit(t, nodes[0].Emit(bg, "first"))
	last := offsetOf(t, c.read())
	_ = c.ws.CloseNow()
	fronttest.Eventually(t, "the node notices", func() bool { return nodes[0].Len() == 0 })
	text := strings.Repeat("x", 50_000)
	for i := range messages {
		mustEmit(t, nodes[0].Emit(bg, fmt.Sprint("missed-", i), text))
	}
	for i := 0; i < messages; {
		n := nodes[i%2]
		c = dial(t, n)
		c.send(fmt.Sprintf(`40{"pid":%q,"offset":%q}`, pid, last))
		if sid, _ := c.hello("40", c.read()); sid != id {
			t.Fatalf("came back as %s, want %s", sid, id)
		}
		for end := min(i+messages/4, messages); i < end; i++ { // and breaks off
			p := c.read()
			if eventName(p) != fmt.Sprint("missed-", i) {
				t.Fatalf("got %.40q, want the %dth that was missed", p, i)
			}
			last = offsetOf(t, p)
		}
		_ = c.ws.CloseNow()
		fronttest.Eventually(t, "the node notices", func() bool { return n.Len() == 0 })
	}
}
