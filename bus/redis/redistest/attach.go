//go:build unix

package redistest

import (
	"context"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
)

// Attach returns a node and its link, closed with the test.
func Attach(t testing.TB, b belfry.Bus, id belfry.NodeID) (*Ledger, belfry.Link) {
	t.Helper()
	n := NewLedger(id)
	link, err := b.Attach(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := link.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return n, link
}

// Message is a message with an id, to these rooms.
func Message(id string, rooms ...belfry.Room) *belfry.Message {
	return &belfry.Message{Namespace: "/", Data: []byte(id), Target: belfry.Target{Rooms: rooms}}
}

// Publish fails the test if it cannot.
func Publish(t testing.TB, l belfry.Link, messages ...*belfry.Message) {
	t.Helper()
	for _, m := range messages {
		if err := l.Publish(t.Context(), m); err != nil {
			t.Fatalf("publish %s: %v", m.Data, err)
		}
	}
}
