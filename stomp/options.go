package stomp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/internal/origin"
	"github.com/seed-09a96375/belfry/poll"
	"github.com/seed-09a96375/belfry/stomp/frame"
)

// Options of a Server. The zero value is ready for use: everybody may connect,
// from pages of the server's own host, subscribe to topics and publish to them.
type Options struct {
	// Namespace is that of the rooms. Default "/".
	Namespace string
	// Authenticate admits a client and says which user it is, empty for none. An
	// error refuses it; its text reaches the client, and its code if it has one: see
	// Error. One that is a belfry.ErrUnavailable says that nobody can tell now. It
	// may block; ctx ends when the client goes away or ConnectTimeout is over. nil:
	// everybody is admitted, nobody is a user.
	Authenticate func(ctx context.Context, l *Login) (user string, err error)
	// Closed is told of the end of each client that Authenticate has admitted, once.
	// It must not block. nil: nobody is told.
	Closed func(c *Conn)
	// Authorize allows a client to subscribe to a destination or to send to it; an
	// error refuses it. /app/ destinations are not asked about. nil: all is allowed
	// but to send to another user.
	Authorize func(ctx context.Context, c *Conn, a Action, destination string) error
	// App handles what is sent to /app/NAME, in order for each client. An error ends
	// the connection; its text reaches the client. It may block. nil: there are no
	// such destinations.
	App func(ctx context.Context, c *Conn, m *Message) error
	// Origins are the pages that browsers may connect from: patterns of path.Match
	// such as https://*.example.org, or "*" for any. Pages of the server's own host
	// and clients that send no origin always may. Default: nobody else.
	Origins []string
	// Heartbeat is how often the server offers and wants heart-beats. Default 25 s.
	// A client that wants none is asked by WebSocket pings as often.
	Heartbeat time.Duration
	// ConnectTimeout is the time for CONNECT, Authenticate included. Default 10 s.
	ConnectTimeout time.Duration
	// Limits bound a frame.
	Limits frame.Limits
	// MaxConnections bounds the connections; more are refused with 503. 0: no bound
	// but that of the system.
	MaxConnections int
	// Places bound the connections of this server and others together. nil: there are
	// no others.
	Places *poll.Places
	// MaxSubscriptions bounds those of a connection. Default 256.
	MaxSubscriptions int
	// MaxUnacked bounds the messages that a connection has not acknowledged where
	// its subscriptions want it; it ends when there are more. Default 1,000.
	MaxUnacked int
	// MaxTransactions bounds the open transactions of a connection. Default 16.
	MaxTransactions int
	// MaxTransactionBytes bounds what they hold together. Default 1 MiB.
	MaxTransactionBytes int
	// MaxInbox bounds the frames of a connection that wait; when it is full the
	// connection is not read until it is half empty. Default 256.
	MaxInbox int
	// MaxInboxBytes bounds their size in the same way. Default 1 MiB.
	MaxInboxBytes int
	// MaxFramesPerSecond slows a client that sends more, on average over a second:
	// it is read no faster. Default 5,000; negative: no bound.
	MaxFramesPerSecond int
	// Slow says what happens to a message that does not fit into the queue of a
	// client that reads too slowly. Messages that want an acknowledgement always
	// end the connection then. nil: all do.
	Slow func(m *belfry.Message) SlowPolicy
	// Poller carries the connections. nil: one of the server's own.
	Poller poll.Poller
	// Logger gets panics of handlers and what goes wrong out of sight. Default
	// slog.Default().
	Logger *slog.Logger
}

// SlowPolicy is what happens when a client reads too slowly.
type SlowPolicy = poll.Overflow

// Action is what Options.Authorize is asked about.
type Action uint8

const (
	Subscribe Action = iota + 1
	Send
)

// Login is what a client says of itself when it connects. Nothing of it is kept.
type Login struct {
	Login, Passcode string // of the CONNECT frame
	Host            string // of the CONNECT frame: the virtual host
	// Authorization is the header of that name of the CONNECT frame, else of the
	// request.
	Authorization string
	// Request are the headers of the HTTP request that became the WebSocket.
	Request http.Header
	// URL is the path and query of that request.
	URL        string
	RemoteAddr string

	frame *frame.Frame
	conn  *Conn
}

// Conn is the client that connects. It has no user yet and is in no room.
func (l *Login) Conn() *Conn { return l.conn }

// Header returns any other header of the CONNECT frame, empty if it has none.
func (l *Login) Header(name string) string { return l.frame.Value(name) }

func (o Options) withDefaults() Options {
	set := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	set(&o.MaxSubscriptions, 256)
	set(&o.MaxUnacked, 1000)
	set(&o.MaxTransactions, 16)
	set(&o.MaxTransactionBytes, 1<<20)
	set(&o.MaxFramesPerSecond, 5000)
	o.Limits = o.Limits.WithDefaults()
	if o.Namespace == "" {
		o.Namespace = "/"
	}
	if o.Heartbeat == 0 {
		o.Heartbeat = 25 * time.Second
	}
	if o.ConnectTimeout == 0 {
		o.ConnectTimeout = 10 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

// Validate names the options that cannot work, all of them.
func (o Options) Validate() error {
	var errs []error
	bad := func(field string, v any, rule string) {
		errs = append(errs, fmt.Errorf("stomp: Options.%s is %v: must be %s", field, v, rule))
	}
	if o.Namespace != "" && o.Namespace[0] != '/' {
		bad("Namespace", o.Namespace, "/ or /name")
	}
	if o.Heartbeat != 0 && o.Heartbeat < minHeartbeat {
		bad("Heartbeat", o.Heartbeat, "10ms or more, or 0 for the default")
	}
	if o.ConnectTimeout < 0 {
		bad("ConnectTimeout", o.ConnectTimeout, "positive, or 0 for the default")
	}
	for _, n := range []struct {
		name string
		v    int
	}{
		{"MaxConnections", o.MaxConnections},
		{"MaxSubscriptions", o.MaxSubscriptions},
		{"MaxUnacked", o.MaxUnacked},
		{"MaxTransactions", o.MaxTransactions},
		{"MaxTransactionBytes", o.MaxTransactionBytes},
		{"MaxInbox", o.MaxInbox},
		{"MaxInboxBytes", o.MaxInboxBytes},
		{"Limits.MaxHeaderBytes", o.Limits.MaxHeaderBytes},
		{"Limits.MaxHeaders", o.Limits.MaxHeaders},
		{"Limits.MaxBody", o.Limits.MaxBody},
	} {
		if n.v < 0 {
			bad(n.name, n.v, "positive, or 0 for the default")
		}
	}
	if origin.Validate(o.Origins) != nil {
		bad("Origins", o.Origins, "patterns of path.Match")
	}
	return errors.Join(errs...)
}
