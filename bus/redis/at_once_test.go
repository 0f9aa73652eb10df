package redis

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry"
)

// noter is a node that notes what comes.
type noter struct {
	idle
	got []string
}

func (n *noter) Deliver(m *belfry.Message) { n.got = append(n.got, string(m.Data)) }

// standing is a feed in step with connection 1 of epoch 7 at number 5, whose goroutine
// does not run.
func standing() (*feed, *noter) {
	n := &noter{}
	l := newLink(&Bus{opts: Options{}.withDefaults(), names: newNames("test:")}, n)
	f := &l.feed
	f.conn, f.in, f.number = 1, &incarnation{epoch: epoch{"0123456789", 7}}, 5
	return f, n
}

// come takes a push of messages from number seq on, and reports whether they wait.
func come(t *testing.T, f *feed, conn, seq uint64, messages ...*belfry.Message) (waits bool) {
	t.Helper()
	bodies := make([][]byte, len(messages))
	for i, m := range messages {
		bodies[i] = encodeMessage(m, "other", seq+uint64(i))
	}
	body := bodies[0]
	if len(bodies) > 1 {
		body = encodeBatch(bodies)
	}
	waiting := len(f.queue)
	f.take(t.Context(), conn, rueidis.PubSubMessage{Channel: "test:{0}:all", Message: fmt.Sprintf("%d %d 1 7\n%s", seq, seq-1, body)})
	return len(f.queue) > waiting
}

func event1(data string) *belfry.Message { return &belfry.Message{Data: []byte(data)} }

// TestAtOnce: what comes to a feed that is idle is delivered when it has been read.
// What may have to wait for Redis is left to the feed's goroutine, and so is all that
// comes after it.
func TestAtOnce(t *testing.T) {
	join := &belfry.Message{Kind: belfry.Join, Data: []byte("join")}
	for name, c := range map[string]struct {
		conn, seq uint64
		messages  []*belfry.Message
		want      []string // nil: it waits
	}{
		"one":                      {1, 6, []*belfry.Message{event1("a")}, []string{"a"}},
		"several":                  {1, 6, []*belfry.Message{event1("a"), event1("b")}, []string{"a", "b"}},
		"after a gap":              {1, 7, []*belfry.Message{event1("a")}, nil},
		"what was there":           {1, 5, []*belfry.Message{event1("a")}, []string{}},
		"on another connection":    {2, 6, []*belfry.Message{event1("a")}, nil},
		"what changes who is here": {1, 6, []*belfry.Message{join}, nil},
		"the same among others":    {1, 6, []*belfry.Message{event1("a"), join}, nil},
	} {
		f, n := standing()
		if waits := come(t, f, c.conn, c.seq, c.messages...); waits != (c.want == nil) || !slices.Equal(n.got, c.want) {
			t.Errorf("%s: delivered %v, waits: %v, want %v", name, n.got, waits, c.want)
		}
		f.ended = time.Time{}
		if c.want == nil && (!come(t, f, 1, 6, event1("later")) || len(n.got) > 0) {
			t.Errorf("%s: what comes later overtakes it: %v", name, n.got)
		}
	}
}

// TestBusyFeed: what comes right after another waits for the feed's goroutine, so that
// reading goes on.
func TestBusyFeed(t *testing.T) {
	f, n := standing()
	f.ended = time.Now().Add(time.Hour)
	if !come(t, f, 1, 6, event1("a")) || len(n.got) > 0 {
		t.Errorf("%v was delivered at once", n.got)
	}
	f.next(<-f.queue)
	f.ended = time.Time{}
	if come(t, f, 1, 7, event1("b")) || !slices.Equal(n.got, []string{"a", "b"}) {
		t.Errorf("delivered %v, want a, b", n.got)
	}
}
