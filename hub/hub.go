// Package hub joins the members on this node with the cluster: it delivers what
// the bus brings to the members it selects, answers questions about them, and
// asks the other nodes. It knows no wire: fronts give it members.
package hub

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/poll/cork"
)

// Options of a Hub. Bus is required.
type Options struct {
	// Bus connects the nodes.
	Bus belfry.Bus
	// Node names this node; empty: a random name.
	Node belfry.NodeID
	// PublishTimeout bounds a publish whose context has no deadline. Default 5 s.
	PublishTimeout time.Duration
	// RequestTimeout bounds the wait for other nodes' answers when the context
	// has no deadline. Default 5 s.
	RequestTimeout time.Duration
	// MaxRoomsPerMember bounds the rooms of one member. Default 10,000;
	// negative: no bound.
	MaxRoomsPerMember int
	// Logger gets what goes wrong away from any caller. Default slog.Default().
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Node == "" {
		o.Node = newNodeID()
	}
	if o.PublishTimeout == 0 {
		o.PublishTimeout = 5 * time.Second
	}
	if o.RequestTimeout == 0 {
		o.RequestTimeout = 5 * time.Second
	}
	if o.MaxRoomsPerMember == 0 {
		o.MaxRoomsPerMember = 10_000
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

// Validate names the first option that cannot work.
func (o Options) Validate() error {
	if o.Bus == nil {
		return errors.New("hub: Options.Bus is nil: give memory.New(memory.Options{}) or another bus")
	}
	if o.PublishTimeout < 0 || o.RequestTimeout < 0 {
		return errors.New("hub: Options.PublishTimeout and RequestTimeout must not be negative")
	}
	return nil
}

// Hub is one node of the cluster. Safe for concurrent use.
type Hub struct {
	opts     Options
	link     belfry.Link   // set by New
	attached chan struct{} // closed once link is set: messages may come before

	mu     sync.RWMutex
	spaces map[string]*Space

	interest *interest // nil: every message comes to this node
	bundles  sync.Pool // *bundle
	tally    tally

	requests requests
	ctx      context.Context // ends at Close: stops the goroutines that answer
	cancel   context.CancelFunc
	answers  sync.WaitGroup
	closing  sync.RWMutex // held shared while an answer starts
	closed   atomic.Bool
}

// New attaches a node to the bus.
func New(ctx context.Context, o Options) (*Hub, error) {
	o = o.withDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	h := &Hub{opts: o, attached: make(chan struct{}), spaces: make(map[string]*Space)}
	h.ctx, h.cancel = context.WithCancel(context.WithoutCancel(ctx))
	h.requests.pending = make(map[belfry.RequestID]*request)
	link, err := o.Bus.Attach(ctx, node{h})
	if err != nil {
		h.cancel()
		return nil, fmt.Errorf("attach to the bus: %w", err)
	}
	h.link = link
	if f, ok := link.(belfry.Follower); ok {
		h.interest = newInterest(h, f)
		h.answers.Go(h.interest.tidy)
	}
	close(h.attached)
	return h, nil
}

// ID names this node.
func (h *Hub) ID() belfry.NodeID { return h.opts.Node }

// Space returns the namespace of that name, made on first use.
func (h *Hub) Space(name string, hooks Hooks) *Space {
	h.mu.Lock()
	defer h.mu.Unlock()
	sp := h.spaces[name]
	if sp == nil {
		sp = newSpace(h, name, hooks)
		h.spaces[name] = sp
	}
	return sp
}

// Drop forgets an empty namespace.
func (h *Hub) Drop(sp *Space) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.spaces[sp.name] == sp {
		delete(h.spaces, sp.name)
	}
}

func (h *Hub) lookup(name string) *Space {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.spaces[name]
}

// Close leaves the cluster and waits for the answers under way.
func (h *Hub) Close(ctx context.Context) error {
	h.closing.Lock()
	again := h.closed.Swap(true)
	h.closing.Unlock()
	if again {
		return nil
	}
	h.cancel()
	err := h.link.Close(ctx)
	h.answers.Wait()
	return err
}

// node is the side of the Hub that the bus sees.
type node struct{ h *Hub }

func (n node) ID() belfry.NodeID { return n.h.opts.Node }

func (n node) Deliver(m *belfry.Message) {
	h := n.h
	sp := h.lookup(m.Namespace)
	switch m.Kind {
	case belfry.Emit:
		h.emit(sp, m, nil)
	case belfry.Join, belfry.Leave, belfry.Disconnect:
		if m.Request != 0 {
			h.answerJoin(sp, m)
		} else if sp != nil {
			sp.change(m)
		}
	default:
		h.answer(sp, m)
	}
}

// Lost implements belfry.LossWatcher.
func (n node) Lost(reason error) {
	h := n.h
	h.opts.Logger.Error("messages were lost: clients that can recover are told", "err", reason)
	h.mu.RLock()
	spaces := slices.Collect(maps.Values(h.spaces))
	h.mu.RUnlock()
	for _, sp := range spaces {
		sp.lost()
	}
}

func (n node) Replied(r *belfry.Reply) { n.h.requests.replied(r) }

func (h *Hub) emit(sp *Space, m *belfry.Message, k *cork.Cork) {
	if m.Request != 0 {
		h.emitAck(sp, m)
		return
	}
	if sp != nil {
		sp.deliver(m, k)
		return
	}
	h.tally.deliveredTo(0)
}

// spawn runs f in a goroutine that Close waits for; not once Close began.
func (h *Hub) spawn(f func()) {
	h.closing.RLock()
	defer h.closing.RUnlock()
	if !h.closed.Load() {
		h.answers.Go(f)
	}
}

func newNodeID() belfry.NodeID {
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return belfry.NodeID(hex.EncodeToString(b[:]))
}
