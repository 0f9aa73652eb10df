package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
)

// ledger is a node that notes the id of every message, and of every loss that it
// is told.
type ledger struct {
	id belfry.NodeID

	mu      sync.Mutex
	got     []string
	rooms   map[string][]string // by room, "" for the namespace
	counts  map[string]int
	losses  []error
	changed chan struct{}
}

func newLedger(id belfry.NodeID) *ledger {
	return &ledger{id: id, counts: map[string]int{}, rooms: map[string][]string{}, changed: make(chan struct{})}
}

func (n *ledger) ID() belfry.NodeID { return n.id }

func (n *ledger) Deliver(m *belfry.Message) {
	n.mu.Lock()
	defer n.mu.Unlock()
	id := string(m.Data)
	n.got = append(n.got, id)
	n.counts[id]++
	key := ""
	if len(m.Target.Rooms) > 0 {
		key = string(m.Target.Rooms[0])
	}
	n.rooms[key] = append(n.rooms[key], id)
	close(n.changed)
	n.changed = make(chan struct{})
}

func (n *ledger) Replied(*belfry.Reply) {}

func (n *ledger) Lost(reason error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.losses = append(n.losses, reason)
	close(n.changed)
	n.changed = make(chan struct{})
}

// until waits for a condition that is asked under n.mu.
func (n *ledger) until(ctx context.Context, done func() bool) error {
	for {
		n.mu.Lock()
		ok, changed := done(), n.changed
		n.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("node %s waits: %w", n.id, ctx.Err())
		}
	}
}

func (n *ledger) await(ctx context.Context, id string) error {
	return n.until(ctx, func() bool { return n.counts[id] > 0 })
}

// pair is two nodes under fire.
type pair struct {
	nodes [2]*ledger
	links [2]belfry.Link

	// roomsOnly compares the order of each room alone.
	roomsOnly bool

	mu       sync.Mutex
	accepted []string // Publish returned nil
	doubtful []string // Publish returned an error
	errs     []error
}

const pairRooms = 5

func room(i int) belfry.Room { return belfry.Room(fmt.Sprint("room", i%pairRooms)) }

func id(s string) *belfry.Message { return &belfry.Message{Namespace: "/", Data: []byte(s)} }

// attachPair attaches a node to each bus. With interest, both follow all rooms.
func attachPair(t *testing.T, buses [2]*Bus) *pair {
	t.Helper()
	p := &pair{}
	for i, b := range buses {
		p.nodes[i] = newLedger(belfry.NodeID(fmt.Sprint("node", i)))
		link, err := b.Attach(t.Context(), p.nodes[i])
		if err != nil {
			t.Fatal(err)
		}
		p.links[i] = link
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			if err := link.Close(ctx); err != nil {
				t.Error(err)
			}
		})
		if f, ok := link.(belfry.Follower); ok {
			for r := range pairRooms {
				if err := f.Follow(t.Context(), "/", room(r)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return p
}

// under publishes from both nodes all the time while fault runs, and some time
// before and after.
func (p *pair) under(ctx context.Context, fault func()) {
	var stop atomic.Bool
	var firing sync.WaitGroup
	for i := range p.links {
		for k := range 4 {
			firing.Go(func() { p.fire(ctx, i, k, &stop) })
		}
	}
	rest := func() { <-time.After(300 * time.Millisecond) }
	rest()
	fault()
	rest()
	stop.Store(true)
	firing.Wait()
}

func (p *pair) fire(ctx context.Context, node, gun int, stop *atomic.Bool) {
	for n := 0; !stop.Load(); n++ {
		m := id(fmt.Sprintf("%d.%d.%d", node, gun, n))
		m.Target.Rooms = []belfry.Room{room(n)}
		if n%7 == 0 {
			m.Target.Rooms = nil
		}
		if n%5 == 0 {
			m.Kind = belfry.Join // has a number, but no offset
		}
		err := p.links[node].Publish(ctx, m)
		p.mu.Lock()
		if err == nil {
			p.accepted = append(p.accepted, string(m.Data))
		} else {
			p.doubtful = append(p.doubtful, string(m.Data))
			p.errs = append(p.errs, err)
		}
		p.mu.Unlock()
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return
		}
	}
}

// verdict waits until both nodes have everything, and counts.
func (p *pair) verdict(ctx context.Context) error {
	for i, link := range p.links {
		last := fmt.Sprint("last of ", i)
		if err := link.Publish(ctx, id(last)); err != nil {
			return fmt.Errorf("publish after the fault: %w", err)
		}
		for _, n := range p.nodes {
			if err := n.await(ctx, last); err != nil {
				return err
			}
		}
	}
	var wrong []string
	for _, n := range p.nodes {
		wrong = append(wrong, p.miscounted(n)...)
	}
	switch a, b := p.nodes[0], p.nodes[1]; {
	case len(wrong) > 0:
	case p.roomsOnly:
		for key := range a.rooms {
			wrong = append(wrong, disorder(a.rooms[key], b.rooms[key])...)
		}
	default:
		wrong = disorder(a.got, b.got)
	}
	if len(wrong) == 0 {
		return nil
	}
	return fmt.Errorf("%d wrong of %d: %s", len(wrong), len(p.accepted), strings.Join(wrong[:min(8, len(wrong))], ", "))
}

// miscounted: what was accepted comes once; what was not, at most once.
func (p *pair) miscounted(n *ledger) (wrong []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, id := range p.accepted {
		if n.counts[id] != 1 {
			wrong = append(wrong, fmt.Sprintf("%s: %s came %d times", n.id, id, n.counts[id]))
		}
	}
	for _, id := range p.doubtful {
		if n.counts[id] > 1 {
			wrong = append(wrong, fmt.Sprintf("%s: %s, not accepted, came %d times", n.id, id, n.counts[id]))
		}
	}
	return wrong
}

// disorder compares two nodes that have the same messages.
func disorder(a, b []string) (wrong []string) {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return []string{fmt.Sprintf("message %d is %s on one node and %s on the other", i, a[i], b[i])}
		}
	}
	if len(a) != len(b) {
		return []string{fmt.Sprintf("%d messages on one node and %d on the other", len(a), len(b))}
	}
	return nil
}

func (p *pair) lossesTold() (all []error) {
	for _, n := range p.nodes {
		n.mu.Lock()
		all = append(all, n.losses...)
		n.mu.Unlock()
	}
	return all
}

// mustBeComplete fails unless everything came, once and in order, and no node
// was told of a loss.
func (p *pair) mustBeComplete(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := p.verdict(ctx); err != nil {
		t.Error(err)
	}
	if losses := p.lossesTold(); len(losses) > 0 {
		t.Errorf("told of losses: %v", errors.Join(losses...))
	}
	t.Logf("%d accepted, %d not: %v", len(p.accepted), len(p.doubtful), errors.Join(p.errs[:min(2, len(p.errs))]...))
}
