// Package socketio is a Socket.IO server, protocol 5 (and 4, with Engine.IO 3,
// when enabled): namespaces, sockets, rooms, acks, middlewares, recovery.
//
//	type           payload                     direction
//	0 CONNECT      auth / {"sid","pid"}        both
//	1 DISCONNECT   -                           both
//	2 EVENT        [name, ...args]             both
//	3 ACK          [...args]                   both
//	4 CONNECT_ERROR {"message","data"}         to the client
//	5 BINARY_EVENT, 6 BINARY_ACK               both, attachments follow
//
// A client opens an Engine.IO session, then a socket per namespace with CONNECT.
// What it sends goes, in order, through its inbox to the handlers; a goroutine
// exists only while the inbox is not empty. What the server sends is encoded
// once and written without blocking.
//
// Source: the Socket.IO protocol document, revision 5, and the measured
// behaviour of socket.io 4.8.
package socketio

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/engineio"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/internal/forward"
	"github.com/seed-09a96375/belfry/internal/inbox"
	"github.com/seed-09a96375/belfry/socketio/packet"
)

// Server is a node that serves Socket.IO clients. It is an http.Handler for
// everything below the path it is mounted at, "/socket.io/" by custom. Safe for
// concurrent use.
type Server struct {
	*Namespace // the main namespace, "/"

	opts   Options
	engine *engineio.Server
	hub    *hub.Hub
	// forward passes requests on to other nodes; nil without Options.Advertise.
	forward *forward.Forwarder

	mu         sync.RWMutex
	namespaces map[string]*Namespace
	parents    []*parent

	limits  packet.Options
	inboxes *inbox.Group[item]
	keeping sync.WaitGroup  // sessions on their way into the bus
	ctx     context.Context // ends when Close begins
	cancel  context.CancelFunc

	draining atomic.Bool // Drain was called
	counters counters
}

// New makes a server and attaches it to its bus. The caller closes it.
func New(o Options) (*Server, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	s := &Server{opts: o, namespaces: make(map[string]*Namespace), limits: o.Packets}
	s.limits.Intern = s.intern
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.inboxes = inbox.NewGroup[item](inbox.Options{MaxItems: o.MaxInbox, MaxBytes: o.MaxInboxBytes})
	var err error
	if s.hub, err = hub.New(context.Background(), o.hub()); err != nil {
		return nil, err
	}
	if o.Presence != nil {
		if _, err := s.hub.Presence(); err != nil {
			return nil, errors.Join(fmt.Errorf("socketio: Options.Presence: %w", err), s.hub.Close(context.Background()))
		}
	}
	if o.Recovery != nil {
		bus, err := s.hub.Recovery()
		if err != nil {
			return nil, errors.Join(fmt.Errorf("socketio: Options.Recovery: %w", err), s.hub.Close(context.Background()))
		}
		bus.Confirm(o.EngineIO.Silence() + confirmSlack)
	}
	if s.engine, err = engineio.New(s.forwardable(o.EngineIO), s.open); err != nil {
		return nil, errors.Join(err, s.hub.Close(context.Background()))
	}
	if err := s.startForwarding(); err != nil {
		return nil, errors.Join(err, s.engine.Close(context.Background()), s.hub.Close(context.Background()))
	}
	s.Namespace = s.Of("/")
	return s, nil
}

// confirmSlack is for pings that are late.
const confirmSlack = 5 * time.Second

// ServeHTTP answers Engine.IO requests, and GET .../socket.io.js if there is a
// client bundle.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.opts.ClientBundle.wanted(r) {
		s.opts.EngineIO.CORS.Serve(w, r) // false: it is a GET
		s.opts.ClientBundle.serve(w, r)
		return
	}
	s.engine.ServeHTTP(w, s.received(r))
}

// Engine is the layer below: its sessions and their number.
func (s *Server) Engine() *engineio.Server { return s.engine }

// Of returns the namespace of that name, made on first use. The leading slash
// may be left out.
func (s *Server) Of(name string) *Namespace {
	name = canonical(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.namespaces[name]
	if n == nil {
		n = newNamespace(s, name, &handlers{}, false)
		s.namespaces[name] = n
	}
	return n
}

// OfPattern lets clients connect to every namespace whose name matches. See
// OfFunc.
func (s *Server) OfPattern(re *regexp.Regexp) *Namespace {
	return s.OfFunc(func(name string, _ Auth) bool { return re.MatchString(name) })
}

// OfFunc lets clients connect to every namespace that allow accepts. What is
// registered on the Namespace it returns holds for all of them; broadcasts on it
// go to those that exist on this node. The first that accepts wins.
func (s *Server) OfFunc(allow func(name string, auth Auth) bool) *Namespace {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := newParent(s, len(s.parents), allow)
	s.parents = append(s.parents, p)
	return p.Namespace
}

// Close ends the sessions of all clients ("server shutting down": clients try to
// reconnect), waits for the handlers under way and leaves the bus. ctx bounds
// the wait.
func (s *Server) Close(ctx context.Context) error {
	s.cancel()
	err := s.engine.CloseReason(ctx, engineio.ReasonServerShutdown)
	err = errors.Join(err, s.stopForwarding(ctx))
	if e := s.inboxes.Wait(ctx); e != nil {
		err = errors.Join(err, fmt.Errorf("wait for handlers: %w", e))
	}
	s.keeping.Wait()
	leaving, cancel := lastMoment(ctx)
	defer cancel()
	return errors.Join(err, s.hub.Close(leaving))
}

// find returns the namespace a client asks for: an existing one, or a child of a
// dynamic one; nil if there is none. It counts the client as joining, so that the
// namespace stays until the caller has taken that back.
func (s *Server) find(name string, auth Auth) *Namespace {
	s.mu.RLock()
	n, parents := s.namespaces[name], s.parents
	if n != nil {
		n.joining.Add(1)
	}
	s.mu.RUnlock()
	if n != nil {
		return n
	}
	for _, p := range parents {
		if p.allow(name, auth) {
			return s.child(p, name)
		}
	}
	return nil
}

// intern returns the string for a namespace name without allocating if the
// namespace exists.
func (s *Server) intern(name []byte) string {
	s.mu.RLock()
	n := s.namespaces[string(name)]
	s.mu.RUnlock()
	if n != nil {
		return n.name
	}
	return string(name)
}

func canonical(name string) string {
	if name == "" || name[0] != '/' {
		return "/" + name
	}
	return name
}

// NodeID names this node in the cluster.
func (s *Server) NodeID() belfry.NodeID { return s.hub.ID() }
