package plain_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/plain"
	"github.com/seed-09a96375/belfry/poll"
)

// flood sends 16 MB to a client that does not read meanwhile.
func flood(t *testing.T, n *node, event string) {
	t.Helper()
	text := strings.Repeat("x", 64<<10)
	for i := range 256 {
		must(t, n.io.To("r").Emit(t.Context(), event, i, text))
	}
}

// TestSlowClient: one that does not read loses its connection, resumes, and has lost
// nothing.
func TestSlowClient(t *testing.T) {
	n := newNode(t, plain.Options{})
	c := connect(t, n)
	c.ask(`"join":{"room":"r"}`)
	flood(t, n, "n")
	emit(t, n, "last", "r")
	at, next := belfry.Offset(""), 0
	for {
		m, err := c.next()
		if err != nil {
			if websocket.CloseStatus(err) != -1 {
				t.Errorf("the slow client was told: %v", err)
			}
			break
		}
		if !strings.HasPrefix(string(m.Args), fmt.Sprintf("[%d,", next)) {
			t.Fatalf("got %.20s, want message %d", m.Args, next)
		}
		at, next = m.At, next+1
	}
	if next == 256 {
		t.Fatal("it was fast enough: nothing is tested")
	}
	c = dial(t, n, "", nil)
	c.ask(fmt.Sprintf(`"connect":{"rooms":["r"],"offset":%q}`, at)).wantRecovered(t, true, 256-next+1)
	for ; next < 256; next++ {
		if m := c.read(); !strings.HasPrefix(string(m.Args), fmt.Sprintf("[%d,", next)) {
			t.Fatalf("got %.20s, want message %d", m.Args, next)
		}
	}
	c.want("r", "last", "[]")
}

// TestLatestIsKept: where only the latest counts a slow client gets that, and stays.
func TestLatestIsKept(t *testing.T) {
	n := newNode(t, plain.Options{Slow: func(m *belfry.Message) plain.SlowPolicy {
		if strings.HasPrefix(string(m.Data), `["place"`) {
			return poll.KeepLatest
		}
		return poll.CloseSlow
	}})
	c := connect(t, n)
	c.ask(`"join":{"room":"r"}`)
	flood(t, n, "place")
	emit(t, n, "last", "r")
	got, latest := 0, ""
	for m := c.read(); m.Event == "place"; m = c.read() {
		got++
		latest = string(m.Args)
	}
	if got == 256 || !strings.HasPrefix(latest, "[255,") {
		t.Errorf("got %d, the latest %.20s", got, latest)
	}
}
