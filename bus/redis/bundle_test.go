//go:build unix

package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

// bundler is a node that notes what came in bundles. The bus calls it from one
// goroutine, and what it notes is read when a bundle has ended.
type bundler struct {
	*redistest.Ledger
	open   bool
	inside []string
	faults []error
	ended  chan struct{} // gets a value at every end
}

func (n *bundler) Bundle() belfry.Bundle {
	if n.open {
		n.faults = append(n.faults, errors.New("a bundle in a bundle"))
	}
	n.open = true
	return openBundle{n}
}

func (n *bundler) Deliver(m *belfry.Message) {
	if n.open {
		n.faults = append(n.faults, fmt.Errorf("%s came beside the bundle", m.Data))
	}
	n.Ledger.Deliver(m)
}

type openBundle struct{ n *bundler }

func (b openBundle) Deliver(m *belfry.Message) {
	b.n.inside = append(b.n.inside, string(m.Data))
	b.n.Ledger.Deliver(m)
}

func (b openBundle) End() {
	b.n.open = false
	b.n.ended <- struct{}{}
}

// TestBundles: messages that come in one push are one bundle, which ends with them,
// also where something is missing among them.
func TestBundles(t *testing.T) {
	server := redistest.Start(t)
	_, la := attach(t, open(t, Options{URL: server.URL()}), "a")
	n := &bundler{Ledger: redistest.NewLedger("b"), ended: make(chan struct{}, 100)}
	lb, err := open(t, Options{URL: server.URL()}).Attach(t.Context(), n)
	check(t, err)
	t.Cleanup(func() { check(t, lb.Close(context.WithoutCancel(t.Context()))) })
	want := make([]string, 0, 60)
	for round := range 3 {
		if round == 1 { // as if the last messages had not come
			l := linkOf(lb)
			back := make(chan struct{})
			l.feed.do(t.Context(), func(f *feed) { f.number -= 10; close(back) })
			<-back
			want = append(want, want[10:]...)
		}
		messages := make([]*belfry.Message, 0, 20)
		for i := range 20 {
			id := fmt.Sprintf("%d.%d", round, i)
			messages = append(messages, redistest.Message(id, "x"))
			want = append(want, id)
		}
		check(t, errors.Join(publishTogether(t, la, messages...)...))
		check(t, n.Await(t.Context(), want[len(want)-1]))
		<-n.ended
	}
	check(t, lb.Close(t.Context())) // nothing is delivered any more
	if got := n.Got(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	check(t, errors.Join(n.faults...))
	if n.open || len(n.inside) < 40 {
		t.Errorf("open: %v, in bundles: %v", n.open, n.inside)
	}
}
