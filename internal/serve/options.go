package serve

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/auth"
	"github.com/seed-09a96375/belfry/engineio"
	"github.com/seed-09a96375/belfry/internal/backplane"
	"github.com/seed-09a96375/belfry/internal/route"
	"github.com/seed-09a96375/belfry/queue/webhook"
	"github.com/seed-09a96375/belfry/socketio"
)

// Options of a node. The zero value is a node that is alone.
type Options struct {
	// Listen is the address for clients, load balancers and other nodes. Default
	// ":8080".
	Listen string
	// Path is below which Socket.IO is served. Default "/socket.io/".
	Path string
	// STOMP is the front for STOMP clients.
	STOMP STOMP
	// Plain are the fronts for clients without a library.
	Plain Plain
	// API is the way of backends.
	API API
	// Metrics are for Prometheus.
	Metrics Metrics
	// Queues are where routes bring events.
	Queues []Queue
	// Kafka is where topics of routes and sources are.
	Kafka Kafka
	// Archive is where the past of rooms is.
	Archive Archive
	// Webhooks are URLs that get events of clients. Logger in them is set here.
	Webhooks []webhook.Options
	// Routes say what becomes of events of clients. Queues, Webhooks and Logger
	// in it are set here.
	Routes route.Options
	// Presence are patterns of the rooms whose members the cluster knows, the same on
	// all nodes; see socketio.RoomPattern. nil: none.
	Presence []string
	// Version of the program, for the API.
	Version string
	// Bus joins the node with others. Logger and Recovery in it are set here.
	Bus backplane.Options
	// Node names this node; no other may have that name. Default: the name of the
	// machine and random characters.
	Node belfry.NodeID
	// Advertise is the URL under which other nodes reach this one. Default: made
	// of Listen, with an address of this machine in the place of none. Without
	// Bus.URL it is not used.
	Advertise string
	// Recovery is how long a client may be away and still go on where it was. 0:
	// not at all.
	Recovery time.Duration
	// Drain is the time over which clients are moved to other nodes when this one
	// stops. 0: all at once.
	Drain time.Duration
	// DrainDelay is how long the node goes on as before when it stops, but is not
	// ready, so that load balancers notice. 0: not at all.
	DrainDelay time.Duration
	// Origins are the pages that may connect; see engineio.Options.Origins. Nil:
	// those of the same host.
	Origins []string
	// PingInterval is the time between pings. Default 25 s.
	PingInterval time.Duration
	// PingTimeout is how long the answer to a ping may take. Default 20 s.
	PingTimeout time.Duration
	// MaxMessage bounds a message of a client, bytes. Default 1,000,000.
	MaxMessage int
	// MaxQueue bounds what waits for a client that reads slowly, bytes; see
	// engineio.Options.
	MaxQueue int
	// MaxEventsPerSecond slows a client that sends more; see socketio.Options.
	MaxEventsPerSecond int
	// MaxRooms bounds the rooms of one client; see socketio.Options.
	MaxRooms int
	// MaxConnections bounds the clients of this node, all fronts together; see
	// engineio.Options.MaxSessions.
	MaxConnections int
	// Auth says who clients are, and what they may do. nil, or without a way to know
	// clients: they may connect and get what is sent to them.
	Auth *auth.Options
	// Open lets every client join any room and send to it: for trying out.
	Open bool
	// Logger gets what an operator should see. Default slog.Default().
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Listen == "" {
		o.Listen = ":8080"
	}
	if o.Path == "" {
		o.Path = "/socket.io/"
	}
	if o.Node == "" {
		o.Node = backplane.NodeID("")
	}
	if o.Origins == nil {
		o.Origins = []string{}
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	o.Bus.Logger, o.Bus.Recovery = o.Logger, o.Recovery // its lines name the node
	o.Logger = o.Logger.With("node", o.Node)
	return o
}

// Validate names the options that cannot work, all of them.
func (o Options) Validate() error {
	var faults []error
	for _, d := range []struct {
		name string
		v    time.Duration
	}{
		{"Recovery", o.Recovery},
		{"Drain", o.Drain},
		{"DrainDelay", o.DrainDelay},
	} {
		if d.v < 0 {
			faults = append(faults, fmt.Errorf("serve: Options.%s is %v: must not be negative", d.name, d.v))
		}
	}
	faults = append(faults, o.validatePaths()...)
	faults = append(faults, o.validateMetrics()...)
	faults = append(faults, o.validateQueues()...)
	faults = append(faults, o.validateWebhooks()...)
	faults = append(faults, o.validateRoutes()...)
	faults = append(faults, o.validateSources()...)
	faults = append(faults, o.validateKafka()...)
	faults = append(faults, o.validateArchive()...)
	if err := validURL(o.Advertise); err != nil {
		faults = append(faults, fmt.Errorf("serve: Options.Advertise is %q: %w", o.Advertise, err))
	}
	if o.Auth != nil {
		faults = append(faults, o.Auth.Validate())
		if !o.Auth.KnowsClients() && len(o.Auth.APIKeys) == 0 {
			faults = append(faults, errors.New("serve: Options.Auth knows nobody: must have keys, a hook or API keys"))
		}
	}
	if o.Open && o.guarded() {
		faults = append(faults, errors.New("serve: Options.Open is true: must be false where clients are authenticated"))
	}
	rest := socketio.Options{MaxEventsPerSecond: o.MaxEventsPerSecond, MaxRooms: o.MaxRooms}
	return errors.Join(append(faults, o.engine().Validate(), rest.Validate(), o.STOMP.options().Validate(), o.API.options().Validate())...)
}

// guarded reports whether clients are authenticated.
func (o Options) guarded() bool { return o.Auth != nil && o.Auth.KnowsClients() }

func validURL(text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return errors.New("must be a URL like http://10.0.0.3:8080")
	}
	return nil
}

// keepsPresence selects rooms, nil: none.
func (o Options) keepsPresence() func(belfry.Room) bool {
	if len(o.Presence) == 0 {
		return nil
	}
	return socketio.RoomPattern(o.Presence...)
}

func (o Options) engine() engineio.Options {
	return engineio.Options{
		PingInterval: o.PingInterval, PingTimeout: o.PingTimeout, Origins: o.Origins, Logger: o.Logger,
		MaxPayload: o.MaxMessage, MaxQueue: o.MaxQueue, MaxSessions: -1,
	}
}

func (o Options) server(bus belfry.Bus, listening net.Addr) socketio.Options {
	s := socketio.Options{
		Bus: bus, Node: o.Node, Advertise: o.advertised(listening),
		EngineIO: o.engine(), Logger: o.Logger, MaxEventsPerSecond: o.MaxEventsPerSecond, MaxRooms: o.MaxRooms,
		Presence: o.keepsPresence(),
	}
	if len(o.Origins) > 0 {
		s.EngineIO.CORS = &engineio.CORS{Origins: o.Origins, Credentials: true}
	}
	if o.Recovery > 0 {
		s.Recovery = &socketio.Recovery{MaxDisconnection: o.Recovery, RunMiddlewares: o.guarded()}
	}
	return s
}
