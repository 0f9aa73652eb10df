package plain

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/internal/inbox"
	"github.com/seed-09a96375/belfry/internal/roster"
	"github.com/seed-09a96375/belfry/internal/wheel"
	"github.com/seed-09a96375/belfry/poll"
	"github.com/seed-09a96375/belfry/websocket"
)

// Server serves clients over WebSocket and event streams. Safe for concurrent use.
type Server struct {
	o        Options
	hub      *hub.Hub
	space    *hub.Space
	logs     bool // the bus keeps a log: there are offsets
	poller   poll.Poller
	group    *poll.Group // nil if Options.Poller was given
	upgrader *websocket.Upgrader
	wheel    *wheel.Wheel[*Conn]
	inboxes  *inbox.Group[item]
	conns    roster.Roster[*Conn]
	counters counters

	mark   atomic.Pointer[mark] // nil: none yet
	marker sync.WaitGroup
	cancel context.CancelFunc // ends the marker
	stop   sync.Once
}

// New makes a front of a node. A Socket.IO server of the same node and namespace is
// made before it: it gives its hub. The caller closes the front, and then the hub.
func New(h *hub.Hub, o Options) (*Server, error) {
	if h == nil {
		return nil, errors.New("plain: the hub is nil: must be set")
	}
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	s := &Server{o: o, hub: h, space: h.Space(o.Namespace, hub.Hooks{}), poller: o.Poller}
	_, err := h.Recovery()
	s.logs = err == nil
	s.conns.Shared = o.Places
	s.inboxes = inbox.NewGroup[item](inbox.Options{MaxItems: o.MaxInbox, MaxBytes: o.MaxInboxBytes})
	s.wheel = wheel.New(resolution(&o), func(t *wheel.Timer[*Conn]) { t.Owner.onTimer() })
	if err := s.listen(); err != nil {
		return nil, fmt.Errorf("plain: %w", err)
	}
	s.space.OnLoss(s.lost)
	var ctx context.Context
	ctx, s.cancel = context.WithCancel(context.Background())
	if s.logs {
		s.marker.Go(func() { s.keepMark(ctx) })
	}
	return s, nil
}

// listen makes what carries connections.
func (s *Server) listen() error {
	if s.poller == nil {
		var err error
		if s.group, err = poll.New(poll.Options{Logger: s.o.Logger}); err != nil {
			return err
		}
		s.poller = s.group
	}
	var err error
	s.upgrader, err = websocket.New(websocket.Options{
		Poller: s.poller, Subprotocols: []string{subprotocol}, MaxMessage: s.o.MaxMessage,
	})
	if err != nil {
		return errors.Join(err, s.closeGroup(context.Background()))
	}
	return nil
}

// resolution is fine enough for the timeouts to mean what they say.
func resolution(o *Options) time.Duration {
	d := min(o.Heartbeat, o.ConnectTimeout) / 32
	return min(max(d, time.Millisecond), 100*time.Millisecond)
}

// Connections returns the number of open connections, event streams included.
func (s *Server) Connections() int { return s.conns.Len() }

// Drain moves the clients to other nodes: before a node is stopped. From now on new
// clients are turned away, and the connections of those that are here are ended one
// after the other, evenly over the given time; 0 or less: all at once. Clients come
// back elsewhere and resume after the offset that they have.
//
// Drain returns when the last has been told, or with the error of ctx when that
// ends: then the others are still there. Close follows.
func (s *Server) Drain(ctx context.Context, over time.Duration) error {
	return s.conns.Drain(ctx, over, (*Conn).shutdown)
}

// Close refuses new clients, closes the connections of those that are here (1001),
// and waits for the handlers under way. When ctx ends first, what is left is cut
// off and the error is that of ctx.
func (s *Server) Close(ctx context.Context) error {
	s.cancel()
	for _, c := range s.conns.Close() {
		c.shutdown()
	}
	err := s.conns.Wait(ctx)
	if err != nil {
		for _, c := range s.conns.All() {
			c.out.Terminate(err)
		}
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), cutTime)
		defer cancel()
		ctx = late
		err = errors.Join(fmt.Errorf("plain: close: %w", err), s.conns.Wait(late))
	}
	if e := s.inboxes.Wait(ctx); e != nil {
		err = errors.Join(err, fmt.Errorf("plain: wait for handlers: %w", e))
	}
	s.marker.Wait()
	s.stop.Do(s.wheel.Close)
	return errors.Join(err, s.closeGroup(ctx))
}

// cutTime is what cutting off may take beyond the time that Close was given.
const cutTime = time.Second

func (s *Server) closeGroup(ctx context.Context) error {
	if s.group == nil {
		return nil
	}
	return s.group.Close(ctx)
}

// lost tells the clients that messages were lost for them, which the bus could not
// repair. It is called between the last message before and the first after.
func (s *Server) lost() {
	for _, c := range s.conns.All() {
		c.gap()
	}
}

// keepsPresence reports whether the cluster knows who is in a room.
func (s *Server) keepsPresence(room belfry.Room) bool {
	return s.o.Presence != nil && !hub.Reserved(room) && s.o.Presence(room)
}
