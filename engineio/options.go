package engineio

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/seed-09a96375/belfry/poll"
	"github.com/seed-09a96375/belfry/websocket"
)

// Options configures a Server. The zero value is the reference
// implementation's default configuration.
type Options struct {
	// PingInterval is the time between two pings. Default 25 s.
	PingInterval time.Duration
	// PingTimeout is how long the answer to a ping may take. Default 20 s.
	PingTimeout time.Duration
	// UpgradeTimeout bounds an upgrade, from the WebSocket's opening. Default
	// 10 s.
	UpgradeTimeout time.Duration
	// ReadTimeout bounds the reading of a POST's body. Default 30 s.
	ReadTimeout time.Duration
	// WriteTimeout bounds the writing of a polling answer. Default 30 s.
	WriteTimeout time.Duration
	// MaxPayload bounds a message and the body of a POST, bytes. Default
	// 1,000,000.
	MaxPayload int
	// MaxQueue bounds what waits for a GET, bytes. Default 1 MiB. One message
	// that is larger is accepted while nothing else waits. For WebSockets see
	// poll.Options.
	MaxQueue int
	// MaxSessions bounds the number of sessions; beyond it new ones get 503
	// with Retry-After. 0: the descriptor limit of the process less a reserve.
	// Negative: no bound.
	MaxSessions int
	// Places bound the connections of this server and others together. nil: there are
	// no others.
	Places *poll.Places
	// Transports that clients may use. Nil: all.
	Transports []Transport
	// NoUpgrades neither offers nor allows the upgrade to WebSocket.
	NoUpgrades bool
	// AllowEIO3 serves clients of protocol 3, too (Socket.IO 2).
	AllowEIO3 bool
	// HTTPCompression is the size from which polling answers are compressed,
	// bytes. Default 1024. Negative: off.
	HTTPCompression int
	// Deflate switches permessage-deflate on for WebSockets. Nil: off.
	Deflate *websocket.DeflateOptions
	// CORS answers browsers on pages of other origins. Nil: no CORS headers.
	CORS *CORS
	// Cookie is set with the session id on a polling handshake, for load
	// balancers that need it. Nil: none.
	Cookie *Cookie
	// Origins are the pages that may begin a session, as patterns: "*",
	// "https://example.com", "https://*.example.com", "http://localhost:*". The
	// server's own host is always allowed, and so is a request without an
	// Origin header, which no browser makes across sites, except JSON-P. Others
	// are refused as by AllowRequest. Nil: any origin, as the reference
	// implementation does: browsers do not enforce CORS for WebSockets, so any
	// page can then open a session with its visitors' cookies.
	Origins []string
	// AllowRequest may refuse a new session: status 403 with the error's text,
	// 400 for a WebSocket. It may block.
	AllowRequest func(*http.Request) error
	// Tag is what the ids of this server's sessions begin with, so that others can
	// tell where a session is. The zero value: a random one.
	Tag Tag
	// Elsewhere may serve a request whose session this server does not know, a
	// request for a WebSocket included, and reports whether it has. If not, the
	// client is told "Session ID unknown". It may block. Headers that CORS asks
	// for are in the answer already. Nil: nobody does.
	Elsewhere func(w http.ResponseWriter, r *http.Request, sid string) bool
	// Headers may add headers to a successful answer, 101 included. initial: the
	// answer to a handshake.
	Headers func(h http.Header, r *http.Request, initial bool)
	// KeepHeaders names the request headers that Handshake keeps: each costs
	// its bytes for as long as the session lives. Nil: all but Connection,
	// Upgrade and Sec-WebSocket-*. Empty: none.
	KeepHeaders []string
	// Poller carries the WebSockets. Nil: a poll.Group of its own, closed with
	// the server.
	Poller poll.Poller
	// OnConnectionError is told of refused requests. It must not block.
	OnConnectionError func(ConnectionError)
	// Logger gets what an operator should see. Nil: slog.Default.
	Logger *slog.Logger
}

const (
	defaultPingInterval    = 25 * time.Second
	defaultPingTimeout     = 20 * time.Second
	defaultUpgradeTimeout  = 10 * time.Second
	defaultReadTimeout     = 30 * time.Second
	defaultWriteTimeout    = 30 * time.Second
	defaultMaxPayload      = 1_000_000
	defaultMaxQueue        = 1 << 20
	defaultHTTPCompression = 1024
)

func (o Options) withDefaults() Options {
	for _, d := range []struct {
		p *time.Duration
		v time.Duration
	}{
		{&o.PingInterval, defaultPingInterval},
		{&o.PingTimeout, defaultPingTimeout},
		{&o.UpgradeTimeout, defaultUpgradeTimeout},
		{&o.ReadTimeout, defaultReadTimeout},
		{&o.WriteTimeout, defaultWriteTimeout},
	} {
		if *d.p == 0 {
			*d.p = d.v
		}
	}
	for _, n := range []struct {
		p *int
		v int
	}{
		{&o.MaxPayload, defaultMaxPayload},
		{&o.MaxQueue, defaultMaxQueue},
		{&o.HTTPCompression, defaultHTTPCompression},
	} {
		if *n.p == 0 {
			*n.p = n.v
		}
	}
	if o.Transports == nil {
		o.Transports = []Transport{Polling, WebSocket}
	}
	if o.Tag == (Tag{}) {
		o.Tag = randomTag()
	}
	if o.KeepHeaders != nil {
		o.KeepHeaders = slices.Clone(o.KeepHeaders)
		for i, k := range o.KeepHeaders {
			o.KeepHeaders[i] = http.CanonicalHeaderKey(k)
		}
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

// Validate names every field that breaks its rule; zero values are valid.
func (o Options) Validate() error {
	var faults []error
	for _, d := range []struct {
		name string
		v    time.Duration
	}{
		{"PingInterval", o.PingInterval},
		{"PingTimeout", o.PingTimeout},
		{"UpgradeTimeout", o.UpgradeTimeout},
		{"ReadTimeout", o.ReadTimeout},
		{"WriteTimeout", o.WriteTimeout},
	} {
		if d.v < 0 || d.v > maxTimeout {
			faults = append(faults, fault(d.name, d.v, fmt.Sprintf("between 0 and %v", maxTimeout)))
		}
	}
	if o.MaxPayload < 0 {
		faults = append(faults, fault("MaxPayload", o.MaxPayload, "positive, or 0 for the default"))
	}
	if o.MaxQueue < 0 {
		faults = append(faults, fault("MaxQueue", o.MaxQueue, "positive, or 0 for the default"))
	}
	if o.Transports != nil && len(o.Transports) == 0 {
		faults = append(faults, fault("Transports", "empty", "nil or name at least one"))
	}
	for _, t := range o.Transports {
		if t > WebSocket {
			faults = append(faults, fault("Transports", t, "polling or websocket"))
		}
	}
	for _, p := range o.Origins {
		if err := validOrigin(p); err != nil {
			faults = append(faults, fault("Origins", err, "patterns"))
		}
	}
	return errors.Join(append(faults, o.CORS.validate()...)...)
}

// maxTimeout keeps ticks of the timing wheel apart from each other.
const maxTimeout = 7 * 24 * time.Hour

func fault(field string, value any, rule string) error {
	return fmt.Errorf("engineio: Options.%s is %v: must be %s", field, value, rule)
}

// upgrades lists what a client may move to from t.
func (o *Options) upgrades(t Transport) []string {
	if o.NoUpgrades || t != Polling || !slices.Contains(o.Transports, WebSocket) {
		return []string{}
	}
	return []string{WebSocket.String()}
}
