//go:build unix

package redistest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
)

// Pair is two nodes under fire.
type Pair struct {
	Nodes [2]*Ledger
	Links [2]belfry.Link

	// RoomsOnly compares the order of each room alone.
	RoomsOnly bool

	mu       sync.Mutex
	accepted []string // Publish returned nil
	doubtful []string // Publish returned an error
	errs     []error
}

const pairRooms = 5

// Room is one of those that the fire goes to.
func Room(i int) belfry.Room { return belfry.Room(fmt.Sprint("room", i%pairRooms)) }

// AttachPair attaches a node to each bus. With interest, both follow all rooms.
func AttachPair(t testing.TB, buses [2]belfry.Bus) *Pair {
	t.Helper()
	p := &Pair{}
	for i, b := range buses {
		p.Nodes[i], p.Links[i] = Attach(t, b, belfry.NodeID(fmt.Sprint("node", i)))
		if f, ok := p.Links[i].(belfry.Follower); ok {
			for r := range pairRooms {
				if err := f.Follow(t.Context(), "/", Room(r)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return p
}

// Under publishes from both nodes all the time while fault runs, and some time
// before and after.
func (p *Pair) Under(ctx context.Context, fault func()) {
	var stop atomic.Bool
	var firing sync.WaitGroup
	for i := range p.Links {
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

func (p *Pair) fire(ctx context.Context, node, gun int, stop *atomic.Bool) {
	for n := 0; !stop.Load(); n++ {
		m := Message(fmt.Sprintf("%d.%d.%d", node, gun, n))
		m.Target.Rooms = []belfry.Room{Room(n)}
		if n%7 == 0 {
			m.Target.Rooms = nil
		}
		if n%5 == 0 {
			m.Kind = belfry.Join // has a number, but no offset
		}
		err := p.Links[node].Publish(ctx, m)
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

// Verdict waits until both nodes have everything, and counts.
func (p *Pair) Verdict(ctx context.Context) error {
	for i, link := range p.Links {
		last := fmt.Sprint("last of ", i)
		if err := link.Publish(ctx, Message(last)); err != nil {
			return fmt.Errorf("publish after the fault: %w", err)
		}
		for _, n := range p.Nodes {
			if err := n.Await(ctx, last); err != nil {
				return err
			}
		}
	}
	var wrong []string
	for _, n := range p.Nodes {
		wrong = append(wrong, p.miscounted(n)...)
	}
	switch a, b := p.Nodes[0], p.Nodes[1]; {
	case len(wrong) > 0:
	case p.RoomsOnly:
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

// MustBeAccountedFor fails if anything came twice, or if something is missing on a
// node that was not told of a loss. It returns how many messages are missing.
func (p *Pair) MustBeAccountedFor(t testing.TB) (missing int) {
	t.Helper()
	for _, n := range p.Nodes {
		told := n.Losses() != nil
		n.mu.Lock()
		for _, id := range append(slices.Clone(p.accepted), p.doubtful...) {
			if n.counts[id] > 1 {
				t.Errorf("%s: %s came %d times", n.id, id, n.counts[id])
			}
		}
		for _, id := range p.accepted {
			if n.counts[id] > 0 {
				continue
			}
			missing++
			if !told {
				t.Errorf("%s: %s is missing, and the node was told of no loss", n.id, id)
			}
		}
		n.mu.Unlock()
	}
	t.Logf("%d accepted, %d not, %d missing and told: %v", len(p.accepted), len(p.doubtful), missing,
		errors.Join(p.errs[:min(2, len(p.errs))]...))
	return missing
}

// miscounted: what was accepted comes once; what was not, at most once.
func (p *Pair) miscounted(n *Ledger) (wrong []string) {
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

// Losses returns what the nodes were told.
func (p *Pair) Losses() error { return errors.Join(p.Nodes[0].Losses(), p.Nodes[1].Losses()) }

// MustBeComplete fails unless everything came, once and in order, and no node
// was told of a loss.
func (p *Pair) MustBeComplete(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	if err := p.Verdict(ctx); err != nil {
		t.Error(err)
	}
	if losses := p.Losses(); losses != nil {
		t.Errorf("told of losses: %v", losses)
	}
	t.Logf("%d accepted, %d not: %v", len(p.accepted), len(p.doubtful), errors.Join(p.errs[:min(2, len(p.errs))]...))
}
