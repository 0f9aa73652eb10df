package plain_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/plain"
)

// The ledger: several publishers on two nodes, clients whose connections are cut at
// random and who come back to a random node with the offset that they have. Every
// message has an id of its own. What each client got, over all its connections, has
// to be what a client that was never cut got: each id once, in the same order.

const (
	ledgerPublishers = 3
	ledgerWindow     = 200 // how far the publishers may be ahead of the slowest client
	ledgerEnd        = "end"
	maxCuts          = 200 // of one client
)

var ledgerRooms = []belfry.Room{"one", "two"}

// got is what a client has received.
type got struct {
	ids   []string
	count atomic.Int64
	cuts  int
	reset bool
}

func (g *got) add(id string) {
	g.ids = append(g.ids, id)
	g.count.Add(1)
}

// account names what a client lost, got twice, or got in another order.
func account(truth, ids []string) error {
	times := make(map[string]int)
	for _, id := range ids {
		times[id]++
	}
	lost, doubled := 0, 0
	for _, id := range truth {
		if times[id] == 0 {
			lost++
		}
		doubled += max(times[id]-1, 0)
	}
	switch {
	case lost > 0 || doubled > 0:
		return fmt.Errorf("%d lost, %d doubled, of %d", lost, doubled, len(truth))
	case !slices.Equal(truth, ids):
		return errors.New("in another order")
	}
	return nil
}

// remembers says which offset a client comes back with: the one that it has. Controls
// have another idea.
type remembers func(first, last belfry.Offset) belfry.Offset

func faithful(_, last belfry.Offset) belfry.Offset { return last }

// follow is a client that is cut after some messages, until it gets the end.
type follow func(ctx context.Context, n *node, after belfry.Offset, cutAfter int, g *got) (last belfry.Offset, over bool, err error)

// overWebSocket is one connection of a WebSocket client.
func overWebSocket(ctx context.Context, n *node, after belfry.Offset, cutAfter int, g *got) (last belfry.Offset, over bool, err error) {
	ws, _, err := websocket.Dial(ctx, n.url+"/ws", nil)
	if err != nil {
		return after, false, err
	}
	defer ws.CloseNow()
	ws.SetReadLimit(-1)
	request := `{"id":1,"connect":{"rooms":["one","two"]}}`
	if after != "" {
		request = fmt.Sprintf(`{"id":1,"connect":{"rooms":["one","two"],"offset":%q}}`, after)
	}
	if err := ws.Write(ctx, websocket.MessageText, []byte(request)); err != nil {
		return after, false, err
	}
	for last = after; ; {
		_, data, err := ws.Read(ctx)
		if err != nil {
			return last, false, err
		}
		var m message
		if err := json.Unmarshal(data, &m); err != nil {
			return last, false, err
		}
		switch {
		case m.OK != nil:
			last = m.OK.Offset
			g.reset = g.reset || m.OK.Recovered != nil && !*m.OK.Recovered
		case m.Event == ledgerEnd:
			return last, true, nil
		case m.Event != "":
			g.add(string(m.Args))
			fallthrough
		default:
			last = m.At
		}
		if cutAfter--; cutAfter == 0 {
			return last, false, nil
		}
	}
}

// overStream is one connection of an event stream.
func overStream(ctx context.Context, n *node, after belfry.Offset, cutAfter int, g *got) (last belfry.Offset, over bool, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, n.url+"/sse?room=one&room=two&lastEventId="+url.QueryEscape(string(after)), nil)
	if err != nil {
		return after, false, err
	}
	transport := &http.Transport{DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(r)
	if err != nil {
		return after, false, err
	}
	defer resp.Body.Close()
	s := newStream(resp)
	for last = after; ; {
		e, err := s.next()
		if err != nil {
			return last, false, err
		}
		last = belfry.Offset(e.id)
		switch {
		case e.name == ledgerEnd:
			return last, true, nil
		case e.name == "stream:reset":
			g.reset = true
		case !strings.HasPrefix(e.name, "stream:"):
			g.add(string(e.Args))
		}
		if cutAfter--; cutAfter == 0 {
			return last, false, nil
		}
	}
}

// run follows the rooms over as many connections as it takes.
func (g *got) run(ctx context.Context, nodes []*node, f follow, cutUpTo int, r remembers, begun func()) error {
	var first, last belfry.Offset
	for {
		after, cut := belfry.Offset(""), -1
		if first != "" {
			after = r(first, last)
		} else {
			cut = 1 // only to be told where it begins
		}
		if first != "" && cutUpTo > 0 && g.cuts < maxCuts {
			cut = 1 + rand.IntN(cutUpTo)
		}
		at, over, err := f(ctx, nodes[rand.IntN(len(nodes))], after, cut, g)
		if over || err != nil {
			return err
		}
		if last = at; first == "" {
			first = at
			begun()
		}
		g.cuts++
	}
}

// publish sends n messages, to one room or to both, no further ahead than the window.
func publishLedger(ctx context.Context, t testing.TB, nodes []*node, n int, slowest func() int64) {
	var sent atomic.Int64
	var all sync.WaitGroup
	for p := range ledgerPublishers {
		all.Go(func() {
			tick := time.NewTicker(time.Millisecond)
			defer tick.Stop()
			for i := range n / ledgerPublishers {
				for sent.Load() > slowest()+ledgerWindow {
					select {
					case <-tick.C:
					case <-ctx.Done():
						return
					}
				}
				rooms := ledgerRooms
				if i%3 != 0 {
					rooms = ledgerRooms[i%2 : i%2+1]
				}
				if err := nodes[(p+i)%len(nodes)].io.To(rooms...).Emit(t.Context(), "n", fmt.Sprintf("%d-%d", p, i)); err != nil {
					t.Error(err)
					return
				}
				sent.Add(1)
			}
		})
	}
	all.Wait()
}

// endLedger tells all that it is over, until they know.
func endLedger(ctx context.Context, t testing.TB, n *node, done <-chan struct{}) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		must(t, n.io.To(ledgerRooms[0]).Emit(ctx, ledgerEnd))
		select {
		case <-tick.C:
		case <-done:
			return
		}
	}
}

// keepLedger runs it and returns what is wrong with each client that was cut.
//
// With patient the publishers wait for all of them, so that they come back while
// there is traffic.
func keepLedger(t *testing.T, nodes []*node, messages int, patient bool, r remembers, followers ...follow) (faults []error, cuts int) {
	ctx, cancel := context.WithTimeout(t.Context(), 4*patience)
	defer cancel()
	truth := &got{}
	clients := make([]*got, len(followers))
	var begun, all sync.WaitGroup
	start := func(g *got, f follow, cutUpTo int, r remembers) {
		begun.Add(1)
		all.Go(func() {
			if err := g.run(ctx, nodes, f, cutUpTo, r, begun.Done); err != nil {
				t.Errorf("a client ended after %d messages: %v", g.count.Load(), err)
			}
		})
	}
	start(truth, overWebSocket, 0, faithful)
	for i, f := range followers {
		clients[i] = &got{}
		start(clients[i], f, 60, r)
	}
	begun.Wait()
	publishLedger(ctx, t, nodes, messages, func() int64 {
		slowest := truth.count.Load()
		for _, g := range clients {
			if patient {
				slowest = min(slowest, g.count.Load())
			}
		}
		return slowest
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		all.Wait()
	}()
	endLedger(ctx, t, nodes[0], done)
	if len(truth.ids) != messages {
		t.Fatalf("the client that was never cut got %d of %d", len(truth.ids), messages)
	}
	for i, g := range clients {
		cuts += g.cuts
		if err := account(truth.ids, g.ids); err != nil {
			faults = append(faults, fmt.Errorf("client %d, %d cuts, told of a reset: %v: %w", i, g.cuts, g.reset, err))
		}
	}
	return faults, cuts
}

// TestLedger: nothing is lost, doubled or out of order, over any bus.
func TestLedger(t *testing.T) {
	onEachBus(t, plain.Options{}, func(t *testing.T, a, b *node) {
		faults, cuts := keepLedger(t, []*node{a, b}, 3000, true, faithful, overWebSocket, overStream, overWebSocket, overStream)
		t.Logf("%d cuts", cuts)
		if cuts < 100 {
			t.Errorf("%d cuts: too few to tell", cuts)
		}
		for _, f := range faults {
			t.Error(f)
		}
	})
}

// TestLedgerFindsFaults: clients that come back with a wrong offset are found out.
func TestLedgerFindsFaults(t *testing.T) {
	for name, r := range map[string]remembers{
		"always from the beginning": func(first, _ belfry.Offset) belfry.Offset { return first },
		"from now on":               func(_, _ belfry.Offset) belfry.Offset { return "" },
		"from nowhere":              func(_, _ belfry.Offset) belfry.Offset { return "nowhere" },
	} {
		for transport, f := range map[string]follow{"websocket": overWebSocket, "stream": overStream} {
			t.Run(name+"/"+transport, func(t *testing.T) {
				bus := memory.New(memory.Options{Log: &memory.Log{}})
				nodes := []*node{newNodeOn(t, bus, plain.Options{}), newNodeOn(t, bus, plain.Options{})}
				if faults, _ := keepLedger(t, nodes, 300, false, r, f); len(faults) != 1 {
					t.Error("nothing was found")
				}
			})
		}
	}
}

// TestAccount: the checker itself.
func TestAccount(t *testing.T) {
	truth := []string{"a", "b", "c"}
	for want, ids := range map[string][]string{
		"":                        {"a", "b", "c"},
		"1 lost, 0 doubled, of 3": {"a", "c"},
		"0 lost, 1 doubled, of 3": {"a", "b", "b", "c"},
		"in another order":        {"a", "c", "b"},
		"1 lost, 1 doubled, of 3": {"a", "a", "c"},
	} {
		err := account(truth, ids)
		if err == nil && want != "" || err != nil && err.Error() != want {
			t.Errorf("%v: %v, want %q", ids, err, want)
		}
	}
}
