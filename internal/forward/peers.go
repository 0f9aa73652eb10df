package forward

import (
	"context"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/engineio"
)

const (
	// addressAge is how long addresses are used without asking again.
	addressAge = 10 * time.Second
	// addressGap is the least time between two questions: requests for sessions
	// that nobody knows wait for it together.
	addressGap = 250 * time.Millisecond
	// addressTimeout bounds a question. Without an answer, what is known counts.
	addressTimeout = time.Second
)

// peer is another node.
type peer struct {
	node   belfry.NodeID
	url    url.URL // without the secret
	secret string
}

// peers knows the other nodes by their tags. Safe for concurrent use.
type peers struct {
	directory belfry.Directory
	self      belfry.NodeID
	log       *slog.Logger
	turn      chan struct{} // taken by who asks the directory

	mu    sync.Mutex
	known map[engineio.Tag]*peer
	asked time.Time // when the last question was put
}

func newPeers(d belfry.Directory, self belfry.NodeID, log *slog.Logger) *peers {
	return &peers{directory: d, self: self, log: log, turn: make(chan struct{}, 1)}
}

// find returns the node with that tag, nil if there is none. It asks the
// directory if it does not know, or has not asked for long.
func (p *peers) find(ctx context.Context, t engineio.Tag) *peer {
	if to, age := p.lookup(t); to != nil && age < addressAge {
		return to
	}
	p.update(ctx)
	to, _ := p.lookup(t)
	return to
}

func (p *peers) lookup(t engineio.Tag) (*peer, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.known[t], time.Since(p.asked)
}

// update returns once the directory was asked after the call of update: a node
// that has begun a session has announced itself before.
func (p *peers) update(ctx context.Context) {
	called := time.Now()
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return
	}
	p.mu.Lock()
	asked := p.asked
	p.mu.Unlock()
	if asked.After(called) || !wait(ctx, time.Until(asked.Add(addressGap))) {
		return
	}
	p.ask(ctx)
}

// wait reports whether ctx has lasted for d.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// ask reads the directory.
func (p *peers) ask(ctx context.Context) {
	now := time.Now()
	ctx, cancel := context.WithTimeout(ctx, addressTimeout)
	defer cancel()
	all, err := p.directory.Addresses(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = now
	if err != nil {
		p.log.Debug("addresses of other nodes not read", "error", err)
		return
	}
	p.known = p.parse(all)
}

func (p *peers) parse(all map[belfry.NodeID]string) map[engineio.Tag]*peer {
	known := make(map[engineio.Tag]*peer, len(all))
	for node, text := range all {
		if node == p.self {
			continue
		}
		to, err := parsePeer(node, text)
		if err != nil {
			p.log.Debug("address of another node is of no use", "node", node)
			continue
		}
		if twin := known[Tag(node)]; twin != nil {
			p.log.Warn("two nodes have the same tag: clients of one of them cannot poll through this node; restart one", "node", node, "other", twin.node)
		}
		known[Tag(node)] = to
	}
	return known
}

func parsePeer(node belfry.NodeID, text string) (*peer, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, err
	}
	to := &peer{node: node, secret: u.Fragment}
	u.Fragment = ""
	u, err = ParseURL(u.String())
	if err != nil {
		return nil, err
	}
	to.url = *u
	return to, nil
}

// failed notes that a node was not reached: whoever looks for it next asks the
// directory first.
func (p *peers) failed(to *peer, reason error) {
	p.log.Debug("request not passed on", "node", to.node, "error", reason)
	p.mu.Lock()
	defer p.mu.Unlock()
	if t := Tag(to.node); p.known[t] == to {
		delete(p.known, t)
	}
}
