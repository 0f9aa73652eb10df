package hub

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
)

// Incomplete says that not all nodes answered in time. What the others answered
// is returned beside it.
type Incomplete struct {
	Missing []belfry.NodeID // nodes that did not answer
	Failed  []string        // "node: reason" for nodes that could not
	Err     error           // why the wait ended: the context's error, or nil
}

func (e *Incomplete) Error() string {
	var why []string
	if len(e.Missing) > 0 {
		why = append(why, fmt.Sprintf("no answer from %v", e.Missing))
	}
	if len(e.Failed) > 0 {
		why = append(why, strings.Join(e.Failed, ", "))
	}
	return "incomplete answer: " + strings.Join(why, "; ")
}

// Unwrap gives context.DeadlineExceeded when time was up.
func (e *Incomplete) Unwrap() error { return e.Err }

// requests are the questions of this node that wait for answers.
type requests struct {
	mu      sync.Mutex
	last    belfry.RequestID
	pending map[belfry.RequestID]*request
}

type request struct {
	replies chan *belfry.Reply
}

func (rs *requests) open(nodes int) (belfry.RequestID, *request) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.last++
	// Room for one reply of each node, and for those that join meanwhile.
	r := &request{replies: make(chan *belfry.Reply, nodes+16)}
	rs.pending[rs.last] = r
	return rs.last, r
}

func (rs *requests) done(id belfry.RequestID) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	delete(rs.pending, id)
}

func (rs *requests) replied(reply *belfry.Reply) {
	rs.mu.Lock()
	r := rs.pending[reply.Request]
	rs.mu.Unlock()
	if r == nil {
		return // too late, or not ours
	}
	select {
	case r.replies <- reply:
	default: // more replies than nodes: not worth waiting for
	}
}

// Scope says which nodes a request asks.
type Scope uint8

const (
	All    Scope = iota // every node
	Others              // every node but this one
	Self                // this one, without the bus
)

// Request publishes m and collects one reply of each node in scope. If some are missing when ctx ends, or could not
// answer, it returns the replies it has and an *Incomplete.
func (sp *Space) Request(ctx context.Context, m *belfry.Message, scope Scope) ([]*belfry.Reply, error) {
	h := sp.hub
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, h.opts.RequestTimeout)
		defer cancel()
	}
	peers, err := h.asked(ctx, scope)
	if err != nil {
		return nil, fmt.Errorf("list nodes: %w", err)
	}
	if scope == Self {
		m.To = h.opts.Node
	}
	return sp.ask(ctx, m, peers)
}

// ask does the same with the nodes that are to answer; ctx has a deadline.
func (sp *Space) ask(ctx context.Context, m *belfry.Message, nodes []belfry.NodeID) ([]*belfry.Reply, error) {
	h := sp.hub
	id, r := h.requests.open(len(nodes))
	defer h.requests.done(id)
	m.Request = id
	m.Timeout = answerTime(ctx)
	if m.To == h.opts.Node {
		sp.Local(m)
	} else if err := sp.Publish(ctx, m); err != nil {
		return nil, err
	}
	return h.collect(ctx, r, nodes)
}

func (h *Hub) asked(ctx context.Context, scope Scope) ([]belfry.NodeID, error) {
	if scope == Self {
		return []belfry.NodeID{h.opts.Node}, nil
	}
	peers, err := h.link.Peers(ctx)
	if err == nil && scope == Others {
		peers = without(peers, h.opts.Node)
	}
	return peers, err
}

// answerTime is what the nodes get of the time that ctx leaves: a little less,
// so that a node that waited in vain can still say so.
func answerTime(ctx context.Context) time.Duration {
	deadline, _ := ctx.Deadline()
	left := time.Until(deadline)
	return left - min(left/10, 100*time.Millisecond)
}

// recheck is how often a waiting request looks whether nodes have left.
const recheck = 250 * time.Millisecond

func (h *Hub) collect(ctx context.Context, r *request, waiting []belfry.NodeID) ([]*belfry.Reply, error) {
	var replies []*belfry.Reply
	missing := &Incomplete{}
	tick := time.NewTicker(recheck)
	defer tick.Stop()
	for len(waiting) > 0 {
		select {
		case reply := <-r.replies:
			if !slices.Contains(waiting, reply.From) {
				continue
			}
			waiting = without(waiting, reply.From)
			if reply.Err != "" {
				missing.Failed = append(missing.Failed, string(reply.From)+": "+reply.Err)
				continue
			}
			replies = append(replies, reply)
		case <-tick.C:
			// A node that left takes its members with it: nothing to wait for.
			if alive, err := h.link.Peers(ctx); err == nil {
				waiting = slices.DeleteFunc(slices.Clone(waiting), func(n belfry.NodeID) bool {
					return !slices.Contains(alive, n)
				})
			}
		case <-ctx.Done():
			missing.Missing, missing.Err = waiting, ctx.Err()
			return replies, missing
		case <-h.ctx.Done():
			return replies, belfry.ErrClosed
		}
	}
	if len(missing.Failed) > 0 {
		return replies, missing
	}
	return replies, nil
}

func without(nodes []belfry.NodeID, n belfry.NodeID) []belfry.NodeID {
	return slices.DeleteFunc(slices.Clone(nodes), func(x belfry.NodeID) bool { return x == n })
}
