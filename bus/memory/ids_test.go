package memory

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-09a96375/belfry"
)

// idle is a node that does nothing.
type idle struct{}

func (idle) ID() belfry.NodeID       { return "idle" }
func (idle) Deliver(*belfry.Message) {}
func (idle) Replied(*belfry.Reply)   {}

func publishID(t *testing.T, l belfry.Link, id string) (belfry.Offset, error) {
	t.Helper()
	m := &belfry.Message{Namespace: "/", ID: id}
	err := l.Publish(t.Context(), m)
	if err != nil && !errors.Is(err, belfry.ErrDuplicate) {
		t.Fatal(err)
	}
	return m.Offset, err
}

func attachIdle(t *testing.T, o Options) belfry.Link {
	t.Helper()
	link, err := New(o).Attach(t.Context(), idle{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = link.Close(t.Context()) })
	return link
}

// TestIDWindow: an id is known for the window, and no longer.
func TestIDWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		link := attachIdle(t, Options{Log: &Log{}, IDs: IDs{Window: time.Minute}})
		first, err := publishID(t, link, "x")
		if err != nil || first == "" {
			t.Fatalf("the first: offset %q, %v", first, err)
		}
		time.Sleep(time.Minute - 1)
		if o, err := publishID(t, link, "x"); !errors.Is(err, belfry.ErrDuplicate) || o != first {
			t.Errorf("within the window: offset %q, %v, want that of the first, %q, and ErrDuplicate", o, err, first)
		}
		time.Sleep(time.Nanosecond)
		if o, err := publishID(t, link, "x"); err != nil || o == first {
			t.Errorf("after the window: offset %q, %v", o, err)
		}
	})
}

// TestIDBound: the oldest ids are forgotten, no others, and nothing is kept of them.
func TestIDBound(t *testing.T) {
	link := attachIdle(t, Options{IDs: IDs{Max: 10}})
	for i := range 100 {
		if _, err := publishID(t, link, fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := publishID(t, link, "91"); !errors.Is(err, belfry.ErrDuplicate) {
		t.Errorf("one of the last ten: %v, want ErrDuplicate", err)
	}
	if _, err := publishID(t, link, "80"); err != nil {
		t.Errorf("an old one: %v", err)
	}
	s := link.(interface{ remembered() *ids }).remembered()
	if len(s.first) > 10 || cap(s.order) > 64 {
		t.Errorf("%d ids are kept, and room for %d", len(s.first), cap(s.order))
	}
}

func (l *link) remembered() *ids { return l.bus.ids }
