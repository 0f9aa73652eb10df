package hub

import (
	"fmt"
	"slices"
	"testing"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/memory"
)

// writer is a Member that holds back what it may.
type writer struct {
	guest
	held, wrote []string
}

func (w *writer) Deliver(d *Delivery) {
	w.held = append(w.held, string(d.Data))
	if !d.Cork.Hold(w) {
		w.Uncork()
	}
}

func (w *writer) Disconnect(bool) { w.wrote = append(w.wrote, "disconnected") }

func (w *writer) Uncork() {
	w.wrote = append(w.wrote, w.held...)
	w.held = nil
}

func bundled(t *testing.T) (*Hub, *writer) {
	t.Helper()
	h, err := New(t.Context(), Options{Bus: memory.New(memory.Options{}), Node: "a"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close(t.Context()) })
	w := &writer{guest: guest{id: "w"}}
	if _, err := h.Space("/", Hooks{}).Add(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	return h, w
}

func say(i int) *belfry.Message {
	return &belfry.Message{Kind: belfry.Emit, Namespace: "/", Data: fmt.Append(nil, i)}
}

// TestBundle: what is said in a bundle is written at its end, and before anything that
// changes who is where.
func TestBundle(t *testing.T) {
	h, w := bundled(t)
	var n belfry.Node = node{h}
	b := n.(belfry.Bundler).Bundle()
	b.(*bundle).began = b.(*bundle).began.Add(1 << 40) // however slow the machine
	b.Deliver(say(1))
	b.Deliver(say(2))
	if len(w.wrote) > 0 {
		t.Errorf("%v was written before the end", w.wrote)
	}
	b.Deliver(&belfry.Message{Kind: belfry.Disconnect, Namespace: "/"})
	b.Deliver(say(3))
	b.End()
	n.Deliver(say(4))
	if want := []string{"1", "2", "disconnected", "3", "4"}; !slices.Equal(w.wrote, want) || len(w.held) > 0 {
		t.Errorf("wrote %v, holds %v, want %v", w.wrote, w.held, want)
	}
}

// TestBundleDoesNotWait: the first does not wait for longer than bundleWait for the
// rest.
func TestBundleDoesNotWait(t *testing.T) {
	h, w := bundled(t)
	b := node{h}.Bundle()
	b.Deliver(say(1))
	b.(*bundle).began = b.(*bundle).began.Add(-bundleWait)
	b.Deliver(say(2))
	if !slices.Equal(w.wrote, []string{"1"}) {
		t.Errorf("%v was written, want the first", w.wrote)
	}
	b.End()
	if !slices.Equal(w.wrote, []string{"1", "2"}) {
		t.Errorf("%v was written, want both", w.wrote)
	}
}
