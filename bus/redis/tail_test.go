//go:build unix

package redis

import (
	"fmt"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

// tailOf attaches a node, publishes messages and returns the offsets: the first is
// that before all.
func tailOf(t *testing.T, n int) (*link, []belfry.Offset) {
	t.Helper()
	_, link := attach(t, open(t, Options{URL: redistest.Start(t).URL()}), "a")
	begin, err := link.(belfry.Log).Position(t.Context())
	check(t, err)
	all := []belfry.Offset{begin}
	for i := range n {
		m := redistest.Message(fmt.Sprint(i))
		redistest.Publish(t, link, m)
		all = append(all, m.Offset)
	}
	return linkOf(link), all
}

// replays counts what comes after an offset.
func (l *link) replays(t *testing.T, after belfry.Offset) (n int) {
	t.Helper()
	check(t, l.Replay(t.Context(), "/", after, func(*belfry.Message) error { n++; return nil }))
	return n
}

func (t *tail) length() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.all)
}

// TestTailForgets: what nobody has asked for lately is not kept, however often
// somebody asks for what is newer.
func TestTailForgets(t *testing.T) {
	l, offsets := tailOf(t, 20)
	now := time.Now().Add(time.Hour) // after what the link does by itself
	l.tail.expire(now, 100)
	for i, want := range []struct{ from, kept int }{
		{0, 20},
		{15, 20}, // in the period before, somebody has asked for all
		{15, 5},
		{18, 5},
		{18, 2},
		{20, 2},
		{20, 0},
		{0, 20}, // it is read anew
	} {
		if got := l.replays(t, offsets[want.from]); got != 20-want.from {
			t.Fatalf("step %d: %d are replayed after %d, want %d", i, got, want.from, 20-want.from)
		}
		now = now.Add(tailKept)
		l.tail.expire(now, 100)
		if got := l.tail.length(); got != want.kept {
			t.Errorf("step %d: %d are kept, want %d", i, got, want.kept)
		}
	}
}

// TestTailIsBounded: no more is kept than the log may have, and what is not is read.
func TestTailIsBounded(t *testing.T) {
	l, offsets := tailOf(t, 20)
	now := time.Now().Add(time.Hour)
	for range 3 {
		if got := l.replays(t, offsets[0]); got != 20 {
			t.Fatalf("%d are replayed, want 20", got)
		}
		now = now.Add(tailKept)
		l.tail.expire(now, 7)
		if got := l.tail.length(); got != 7 {
			t.Errorf("%d are kept, want 7", got)
		}
	}
}
