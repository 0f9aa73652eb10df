package engineio

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/seed-09a96375/belfry/engineio/packet"
	"github.com/seed-09a96375/belfry/poll"
)

// queueOf fills a queue with messages of 68 bytes, 100 with their cost: "a" is
// reliable, "d" may be dropped, a digit is the latest of that key.
func queueOf(t *testing.T, names string, slow bool) (*queue, error) {
	t.Helper()
	q, err := &queue{}, error(nil)
	for _, name := range names {
		i := item{typ: packet.Message, m: text(string(name) + strings.Repeat(".", 67))}
		switch {
		case name == 'd':
			i.overflow = poll.DropOldest
		case name >= '0' && name <= '9':
			i.overflow, i.key = poll.KeepLatest, uint64(name)
		}
		err = q.offer(i, 400, slow)
	}
	if cost := len(q.items) * 100; q.bytes != cost {
		t.Errorf("%q: %d bytes counted, want %d", names, q.bytes, cost)
	}
	return q, err
}

func TestQueuePolicies(t *testing.T) {
	for _, c := range []struct {
		offered string
		slow    bool
		kept    string
		err     error
	}{
		{"aaaa", true, "aaaa", nil},
		{"aaaaa", true, "aaaa", poll.ErrSlow},
		{"aadda", true, "aadd", poll.ErrSlow},
		{"aaddd", true, "aadd", nil},
		{"adadd", true, "aadd", nil},
		{"aaaad", true, "aaaa", poll.ErrDropped},
		{"a1a1", true, "aa1", nil},
		{"a1a1", false, "a1a1", nil},
		{"1212", true, "12", nil},
		{"aa121", true, "aa21", nil},
		{"aaaa1", true, "aaaa", poll.ErrDropped},
		{"aa123", true, "aa23", nil},
		{"aa12d", true, "aa2d", nil},
	} {
		q, err := queueOf(t, c.offered, c.slow)
		kept := ""
		for _, i := range q.items {
			kept += string(i.m.buf[Headroom])
		}
		if kept != c.kept || !errors.Is(err, c.err) {
			t.Errorf("%q, slow %v: kept %q, %v; want %q, %v", c.offered, c.slow, kept, err, c.kept, c.err)
		}
	}
}

func TestQueueTakesOneLargeMessage(t *testing.T) {
	var q queue
	large := item{typ: packet.Message, m: text(strings.Repeat("x", 1000))}
	if err := q.offer(large, 400, true); err != nil {
		t.Error(err)
	}
	if err := q.offer(large, 400, true); !errors.Is(err, poll.ErrSlow) {
		t.Error(err)
	}
}

// TestQueueKeepsControl: heartbeats are not dropped and have room.
func TestQueueKeepsControl(t *testing.T) {
	q, _ := queueOf(t, "dddd", true)
	q.add(item{typ: packet.Ping})
	for range 10 {
		i := item{typ: packet.Message, m: text(strings.Repeat("x", 68)), overflow: poll.DropOldest}
		if err := q.offer(i, 400, true); err != nil {
			t.Fatal(err)
		}
	}
	if n := fmt.Sprint(q.items[0].typ, len(q.items)); n != "ping 4" {
		t.Errorf("the queue begins with, and has: %s", n)
	}
}
