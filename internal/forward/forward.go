// Package forward passes requests of Engine.IO sessions that live on another node
// on to that node, so that clients may poll through any load balancer.
//
//	client → this node: GET ?sid=S         S begins with the tag of its node
//	this node → owner: the same request, with a mark
//	owner → this node → client: the answer
//
// The tag is a hash of the node's id; the bus tells the addresses of the nodes. A
// request is passed on once at most: whoever gets one with a mark answers it
// himself. The mark carries a secret of the owner, which only the nodes of the
// cluster can know, and the address of the client: with the right secret, the
// owner sees the client's address in place of this node's.
//
// A request that cannot be passed on is answered as the protocol says: the session
// is unknown, and the client begins a new one.
package forward

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/engineio"
	"github.com/seed-09a96375/belfry/poll"
)

// Options of a Forwarder. All but Logger are required.
type Options struct {
	// Node is this node, URL where other nodes reach its Engine.IO path.
	Node belfry.NodeID
	URL  string
	// Directory tells the addresses of the nodes.
	Directory belfry.Directory
	// Poller carries the WebSockets that are passed on.
	Poller poll.Poller
	// Logger gets what goes wrong. Default slog.Default().
	Logger *slog.Logger
}

// Forwarder passes requests on. Safe for concurrent use.
type Forwarder struct {
	secret  string
	peers   *peers
	polling polling
	tunnels tunnels

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	mu     sync.Mutex // guards the start of requests against Close
	active sync.WaitGroup

	requests atomic.Int64 // those of active
}

// New announces this node to the others. The caller closes the Forwarder.
func New(ctx context.Context, o Options) (*Forwarder, error) {
	own, err := ParseURL(o.URL)
	if err != nil {
		return nil, fmt.Errorf("forward: %w", err)
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	f := &Forwarder{
		secret:  newSecret(),
		peers:   newPeers(o.Directory, o.Node, o.Logger),
		polling: newPolling(o.Logger),
		tunnels: tunnels{poller: o.Poller, open: make(map[*tunnel]struct{})},
	}
	own.Fragment = f.secret
	if err := o.Directory.Announce(ctx, own.String()); err != nil {
		return nil, fmt.Errorf("announce the address of this node: %w", err)
	}
	f.ctx, f.cancel = context.WithCancel(context.WithoutCancel(ctx))
	return f, nil
}

// ParseURL checks the address of a node.
func ParseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, err
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return nil, fmt.Errorf("%q is no http or https URL with a host", text)
	case u.RawQuery != "", u.Fragment != "", u.User != nil:
		return nil, fmt.Errorf("%q has more than a host and a path", text)
	}
	return u, nil
}

// Tag is what the session ids of a node begin with.
func Tag(n belfry.NodeID) engineio.Tag {
	sum := sha256.Sum256([]byte(n))
	t := engineio.Tag(sum[:])
	if t == (engineio.Tag{}) {
		t[0] = 1 // the zero value stands for no tag
	}
	return t
}

// Serve passes a request on to the node of the session, and reports whether it
// has answered. It is for engineio.Options.Elsewhere.
func (f *Forwarder) Serve(w http.ResponseWriter, r *http.Request, sid string) bool {
	tag, ok := engineio.TagOf(sid)
	if !ok || isForwarded(r) {
		return false
	}
	ctx, leave, ok := f.enter(r.Context())
	if !ok {
		return false
	}
	defer leave()
	to := f.peers.find(ctx, tag)
	if to == nil {
		return false
	}
	out := r.WithContext(ctx)
	var err error
	if engineio.AsksWebSocket(r) {
		err = f.tunnels.serve(w, out, to)
	} else {
		err = f.polling.serve(w, out, to)
	}
	if err != nil && r.Context().Err() == nil { // else the client is gone
		f.peers.failed(to, err)
		return false
	}
	return true
}

// enter counts a request, which ends with the Forwarder. It reports false after
// Close.
func (f *Forwarder) enter(parent context.Context) (ctx context.Context, leave func(), ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ctx.Err() != nil {
		return nil, nil, false
	}
	f.active.Add(1)
	f.requests.Add(1)
	ctx, cancel := context.WithCancel(parent)
	stop := context.AfterFunc(f.ctx, cancel)
	return ctx, func() {
		stop()
		cancel()
		f.requests.Add(-1)
		f.active.Done()
	}, true
}

// Active returns the number of WebSockets and requests that are passed on now: of
// clients that lose something with this node, though their sessions are on others.
func (f *Forwarder) Active() int { return f.tunnels.count() + int(f.requests.Load()) }

// EachTunnel calls visit with what ends a WebSocket that is passed on, for every
// one that is open when EachTunnel begins. What the owner has sent until then still
// goes to the client.
func (f *Forwarder) EachTunnel(visit func(end func())) {
	for _, pair := range f.tunnels.all() {
		visit(pair.end)
	}
}

// Close ends all requests and WebSockets under way and waits for them, no longer
// than ctx.
func (f *Forwarder) Close(ctx context.Context) error {
	f.mu.Lock()
	f.cancel()
	f.mu.Unlock()
	over := make(chan struct{})
	go func() {
		defer close(over)
		f.active.Wait()
		f.tunnels.close()
		f.polling.close()
	}()
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for forwarded requests: %w", ctx.Err())
	}
}
