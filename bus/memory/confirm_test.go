package memory

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-09a96375/belfry"
)

// deaf is a node that does nothing.
type deaf struct{}

func (deaf) ID() belfry.NodeID       { return "deaf" }
func (deaf) Deliver(*belfry.Message) {}
func (deaf) Replied(*belfry.Reply)   {}

// A client that was quiet for longer than the log reaches back has received
// everything from before its last pong: its session begins there.
func TestKeepRaisesSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		b := New(Options{Log: &Log{MaxAge: time.Minute}})
		l, err := b.Attach(ctx, deaf{})
		if err != nil {
			t.Fatal(err)
		}
		link := l.(*keepingLink)
		s := &belfry.Session{ID: "s", Socket: "x", Namespace: "/"}
		if s.Since, err = link.Position(ctx); err != nil {
			t.Fatal(err)
		}
		publish := func() belfry.Offset {
			m := &belfry.Message{Namespace: "/", Data: []byte(`["m"]`)}
			if err := link.Publish(ctx, m); err != nil {
				t.Fatal(err)
			}
			return m.Offset
		}
		keep := func() belfry.Offset {
			t.Helper()
			for _, err := range []error{link.Hold(ctx, s, time.Minute, false), link.Keep(ctx, s, time.Minute, true)} {
				if err != nil {
					t.Fatal(err)
				}
			}
			got, err := link.Take(ctx, "/", "s", "")
			if err != nil {
				t.Fatal(err)
			}
			return got.Since
		}
		old := publish()
		time.Sleep(20 * time.Second)
		publish()
		time.Sleep(10 * time.Second)
		if got := keep(); got != s.Since {
			t.Errorf("Since is %q before Confirm, want %q", got, s.Since)
		}
		link.Confirm(15 * time.Second)
		if got := keep(); got != old {
			t.Errorf("Since is %q, want %q: what was published 15 s ago is confirmed, what was 10 s ago is not", got, old)
		}
		link.Confirm(5 * time.Second)
		time.Sleep(2 * time.Minute) // the log forgets all
		publish()
		last, _ := link.Position(ctx)
		time.Sleep(6 * time.Second)
		if got := keep(); got != last {
			t.Errorf("Since is %q, want %q", got, last)
		}
		if err := link.Replay(ctx, "/", last, func(*belfry.Message) error { return nil }); err != nil {
			t.Errorf("replay from there: %v", err)
		}
	})
}

// What was trimmed by number may be newer than what is confirmed: then nothing is
// known.
func TestKeepDoesNotGuess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newMessageLog(Log{MaxMessages: 1, MaxBytes: 1 << 20, MaxAge: time.Hour})
		time.Sleep(time.Second)
		for range 3 {
			g.append(&belfry.Message{})
		}
		if o, ok := g.positionAt(time.Now().Add(-time.Millisecond)); ok {
			t.Errorf("the position is %q, want none", o)
		}
		if o, ok := g.positionAt(time.Now()); !ok || o != g.offset(3) {
			t.Errorf("the position is %q, %v", o, ok)
		}
	})
}
