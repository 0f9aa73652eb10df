package socketio

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/engineio"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/internal/forward"
	"github.com/seed-09a96375/belfry/poll"
	"github.com/seed-09a96375/belfry/socketio/packet"
)

// Options of a Server. The zero value is ready for use.
type Options struct {
	// EngineIO are the options of the layer below: transports, heartbeat, sizes,
	// CORS.
	EngineIO engineio.Options
	// Bus joins this server with others. nil: it is alone.
	Bus belfry.Bus
	// Node names this server in the cluster. Empty: a random name.
	Node belfry.NodeID
	// Advertise is the base URL under which other nodes reach this one's Engine.IO
	// path, such as http://10.0.0.3:8080/socket.io/; with https they have to trust
	// its certificate. It lets clients poll through any load balancer: a request
	// whose session is on another node is passed on to that node. Who can reach
	// this URL is a client like any other. It needs a Bus that is a
	// belfry.Directory, and sets EngineIO.Tag and EngineIO.Elsewhere. Empty:
	// nothing is passed on, and all requests of a session have to reach its node.
	Advertise string
	// Recovery lets clients that come back in time go on as if they had not been
	// away. nil: off. It needs a Bus that keeps a log.
	Recovery *Recovery
	// Presence selects the rooms whose members and state the cluster knows: see
	// Namespace.Presence and Namespace.State. It must be the same on all nodes and
	// for the same name always say the same. nil: none.
	Presence func(room belfry.Room) bool
	// RoomLimits bounds what is kept for these rooms.
	RoomLimits RoomLimits
	// ConnectTimeout is the time a client has to join a namespace before its
	// connection is closed. Default 45 s.
	ConnectTimeout time.Duration
	// AckTimeout bounds the wait for acks when the context has no deadline.
	// Default 5 s.
	AckTimeout time.Duration
	// MaxEventsPerSecond slows a client that sends more, on average over a
	// second: its connection is read no faster. Default 5,000; negative: no
	// bound.
	MaxEventsPerSecond int
	// MaxInbox bounds the events of one client that wait for their handlers;
	// when it is full the connection is not read until it is half empty.
	// Default 256.
	MaxInbox int
	// MaxInboxBytes bounds their size in the same way. Default 1 MiB.
	MaxInboxBytes int
	// MaxRooms bounds the rooms of one socket. Default 10,000; negative: no
	// bound.
	MaxRooms int
	// MaxNamespaces bounds the namespaces that one client may be in. Default 100.
	MaxNamespaces int
	// Packets bounds what a packet may contain.
	Packets packet.Options
	// Slow says what happens to a message that does not fit into the queue of a
	// client that reads too slowly. nil: the client is disconnected.
	Slow func(m *belfry.Message) SlowPolicy
	// RemoveEmptyNamespaces removes a child of a dynamic namespace when its last
	// socket leaves.
	RemoveEmptyNamespaces bool
	// ClientBundle is the JavaScript client that is served as socket.io.js below
	// the server's path. nil: none.
	ClientBundle ClientBundle
	// Hooks watch rooms.
	Hooks Hooks
	// Logger gets panics of handlers and what goes wrong out of sight. Default
	// slog.Default().
	Logger *slog.Logger
}

// Recovery is connection state recovery: a client that lost its connection
// resumes with its id, rooms and data, and gets what it missed.
type Recovery struct {
	// MaxDisconnection is how long a client may be away. Default 2 minutes. The
	// Bus has to keep its log for as long, and a minute and a half more.
	MaxDisconnection time.Duration
	// RunMiddlewares runs the namespace's middlewares on recovery as well.
	RunMiddlewares bool
}

// SlowPolicy is what happens when a client reads too slowly.
type SlowPolicy = poll.Overflow

const (
	CloseSlow  = poll.CloseSlow  // disconnect the client
	DropOldest = poll.DropOldest // drop the oldest droppable messages in its queue
	KeepLatest = poll.KeepLatest // keep only the latest message of each room and event
)

func (o Options) withDefaults() Options {
	set := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	setTime := func(p *time.Duration, v time.Duration) {
		if *p == 0 {
			*p = v
		}
	}
	setTime(&o.ConnectTimeout, 45*time.Second)
	setTime(&o.AckTimeout, 5*time.Second)
	set(&o.MaxEventsPerSecond, 5_000)
	set(&o.MaxInbox, 256)
	set(&o.MaxInboxBytes, 1<<20)
	set(&o.MaxNamespaces, 100)
	o.RoomLimits = o.RoomLimits.withDefaults()
	if p := o.EngineIO.MaxPayload; p > 0 {
		set(&o.Packets.MaxBytes, p*max(o.Packets.MaxAttachments, packet.DefaultMaxAttachments))
	}
	if o.Recovery != nil {
		r := *o.Recovery
		setTime(&r.MaxDisconnection, 2*time.Minute)
		o.Recovery = &r
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.EngineIO.Logger == nil {
		o.EngineIO.Logger = o.Logger
	}
	if o.Bus == nil {
		o.Bus = newOwnBus(o.Recovery, o.EngineIO.Silence())
	}
	return o
}

func newOwnBus(r *Recovery, silence time.Duration) *memory.Bus {
	if r == nil {
		return memory.New(memory.Options{})
	}
	return memory.New(memory.Options{Log: &memory.Log{MaxAge: r.MaxDisconnection + silence + time.Minute}})
}

// Validate names the options that cannot work, all of them.
func (o Options) Validate() error {
	var errs []error
	bad := func(field string, v any, rule string) {
		errs = append(errs, fmt.Errorf("socketio: Options.%s is %v: must be %s", field, v, rule))
	}
	for _, d := range []struct {
		name string
		v    time.Duration
	}{{"ConnectTimeout", o.ConnectTimeout}, {"AckTimeout", o.AckTimeout}} {
		if d.v < 0 {
			bad(d.name, d.v, "positive, or 0 for the default")
		}
	}
	for _, n := range []struct {
		name string
		v    int
	}{{"MaxInbox", o.MaxInbox}, {"MaxInboxBytes", o.MaxInboxBytes}, {"MaxNamespaces", o.MaxNamespaces}} {
		if n.v < 0 {
			bad(n.name, n.v, "positive, or 0 for the default")
		}
	}
	if _, err := forward.ParseURL(o.Advertise); err != nil && o.Advertise != "" {
		bad("Advertise", err, "an http or https URL, or empty")
	}
	if o.Recovery != nil && o.Recovery.MaxDisconnection < 0 {
		bad("Recovery.MaxDisconnection", o.Recovery.MaxDisconnection, "positive, or 0 for the default")
	}
	return errors.Join(append(errs, o.RoomLimits.validate())...)
}

func (o Options) hub() hub.Options {
	return hub.Options{
		Bus:               o.Bus,
		Node:              o.Node,
		RequestTimeout:    o.AckTimeout,
		MaxRoomsPerMember: o.MaxRooms,
		Logger:            o.Logger,
	}
}
