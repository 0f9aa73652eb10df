package publish

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seed-09a96375/belfry/chaos/account"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// node notes the numbers that it is offered, and answers as it is told to.
type node struct {
	*httptest.Server
	mu  sync.Mutex
	got []int
}

func newNode(t *testing.T, answer func(http.ResponseWriter)) *node {
	n := &node{}
	n.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var b body
		if err := json.NewDecoder(r.Body).Decode(&b); err != nil || r.URL.Path != "/publish" || b.Room != "4" {
			t.Errorf("%s %v: %v", r.URL, b, err)
		}
		n.mu.Lock()
		n.got = append(n.got, b.Number)
		n.mu.Unlock()
		answer(w)
	}))
	t.Cleanup(n.Close)
	return n
}

func (n *node) offered() []int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.got)
}

func accept(w http.ResponseWriter) { w.WriteHeader(http.StatusNoContent) }
func refuse(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) }
func fail(w http.ResponseWriter)   { w.WriteHeader(http.StatusInternalServerError) }

func vanish(http.ResponseWriter) { panic(http.ErrAbortHandler) }

// publish sends messages of one stream to room 4 and returns their outcomes.
func publish(t *testing.T, o Options, messages int) (all []account.Outcome) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	o.Streams = []int{4}
	p := New(o)
	p.Run(ctx, []int{0}, messages, time.Duration(messages)*time.Millisecond)
	for _, m := range p.Sent()[0] {
		if m.Begun == 0 {
			t.Error("a message without the time at which it was offered")
		}
		all = append(all, m.Outcome)
	}
	if len(all) != messages {
		t.Fatalf("%d messages were sent, want %d", len(all), messages)
	}
	return all
}

func TestOutcomes(t *testing.T) {
	gone := newNode(t, accept)
	gone.Close()
	for name, c := range map[string]struct {
		nodes []*node
		want  account.Outcome
	}{
		"accepted":             {[]*node{newNode(t, accept)}, account.Accepted},
		"refused, then not":    {[]*node{newNode(t, refuse), newNode(t, accept)}, account.Accepted},
		"nobody there, then":   {[]*node{gone, newNode(t, accept)}, account.Accepted},
		"refused by all":       {[]*node{newNode(t, refuse), gone}, account.Refused},
		"failed":               {[]*node{newNode(t, fail), newNode(t, accept)}, account.Maybe},
		"vanished with it":     {[]*node{newNode(t, vanish), newNode(t, accept)}, account.Maybe},
		"refused and vanished": {[]*node{newNode(t, refuse), newNode(t, vanish)}, account.Maybe},
	} {
		t.Run(name, func(t *testing.T) {
			o := Options{Patience: 20 * time.Second}
			if c.want == account.Refused {
				o.Patience = time.Second // it is used up
			}
			for _, n := range c.nodes {
				o.Nodes = append(o.Nodes, n.URL)
			}
			if got := publish(t, o, 1); got[0] != c.want {
				t.Errorf("outcome %d, want %d", got[0], c.want)
			}
		})
	}
}

// TestUnknownIsNotRepeated: what may have been accepted is offered once.
func TestUnknownIsNotRepeated(t *testing.T) {
	bad, good := newNode(t, vanish), newNode(t, accept)
	publish(t, Options{Nodes: []string{bad.URL, good.URL}}, 3)
	if got := bad.offered(); !slices.Equal(got, []int{0, 1, 2}) || len(good.offered()) > 0 {
		t.Errorf("offered %v and %v", got, good.offered())
	}
}

// TestMore: beyond what is asked for messages go on as long as they have to, by any way.
func TestMore(t *testing.T) {
	var offered []int
	p := New(Options{
		Streams: []int{4}, More: func() bool { return len(offered) < 5 },
		Offer: func(_ context.Context, stream, n int) account.Outcome {
			offered = append(offered, n)
			return account.Accepted
		},
	})
	p.Run(t.Context(), []int{0}, 3, 3*time.Millisecond)
	if !slices.Equal(offered, []int{0, 1, 2, 3, 4}) || p.Sent().Count(account.Accepted) != 5 {
		t.Errorf("offered %v: %v", offered, p.Sent())
	}
}

func TestOrder(t *testing.T) {
	n := newNode(t, accept)
	publish(t, Options{Nodes: []string{n.URL}}, 50)
	if got := n.offered(); len(got) != 50 || !slices.IsSorted(got) {
		t.Errorf("offered %v, want 0 to 49", got)
	}
}

// TestFaults: each does what it says, and says that all went well.
func TestFaults(t *testing.T) {
	const messages = 600 // of which about 6 are concerned
	for fault, done := range map[Fault]func([]int) bool{
		Double: func(got []int) bool { return len(got) > messages && slices.IsSorted(got) },
		Lose:   func(got []int) bool { return len(got) < messages && slices.IsSorted(got) },
		Swap:   func(got []int) bool { return len(got) == messages && !slices.IsSorted(got) },
	} {
		t.Run(string(fault), func(t *testing.T) {
			n := newNode(t, accept)
			out := publish(t, Options{Nodes: []string{n.URL}, Fault: fault, Seed: 1}, messages)
			if slices.Max(out) != account.Accepted {
				t.Error("not all messages count as accepted")
			}
			if got := n.offered(); !done(got) {
				t.Errorf("%d messages arrived, sorted: %v", len(got), slices.IsSorted(got))
			}
		})
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	n := newNode(t, refuse)
	ctx, cancel := context.WithCancel(t.Context())
	p := New(Options{Nodes: []string{n.URL}, Streams: []int{4}})
	done := make(chan struct{})
	go func() { p.Run(ctx, []int{0}, 10, time.Second); close(done) }()
	cancel()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Error("Run goes on")
	}
	if s := p.Sent()[0]; len(s) > 1 {
		t.Errorf("%d messages were begun after the end", len(s))
	}
}
