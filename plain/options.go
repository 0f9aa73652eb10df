package plain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/internal/origin"
	"github.com/seed-09a96375/belfry/poll"
)

// Options of a Server. The zero value is ready for use: everybody may connect, from
// pages of the server's own host, join rooms and publish to them.
type Options struct {
	// Namespace is that of the rooms. Default "/".
	Namespace string
	// Authenticate admits a client and says which user it is, empty for none. An
	// error refuses it: see Error. It may block; ctx ends when the client goes away
	// or ConnectTimeout is over. nil: everybody is admitted, nobody is a user.
	Authenticate func(ctx context.Context, c *Conn, l *Login) (user string, err error)
	// Authorize allows a client to do something with a room; an error refuses it.
	// nil: all is allowed.
	Authorize func(ctx context.Context, c *Conn, a Action, room belfry.Room) error
	// Refresh lets a client that is connected go on with another token, and says
	// until when; zero: for ever. nil: there is no such request.
	Refresh func(ctx context.Context, c *Conn, token string) (expires time.Time, err error)
	// App handles the events that clients send to the application, one after the
	// other for each client. The Answer is what the client gets; nil: nothing but
	// that it was done. It may block. nil: there are no such events.
	App func(ctx context.Context, c *Conn, e *Event) (*Answer, error)
	// History answers requests for the past of a room: what it returns is the answer, as
	// JSON. It asks nobody; who may is its matter. nil: there is none.
	History func(ctx context.Context, c *Conn, q *HistoryQuery) (any, error)
	// Closed is called once for each client that Authenticate has admitted, when it
	// has gone. It must not block.
	Closed func(c *Conn)
	// Presence selects the rooms whose members the cluster knows; clients of this
	// front are among them. It must be the same on all nodes and fronts. nil: none.
	Presence func(room belfry.Room) bool
	// Origins are the pages that browsers may connect from: patterns of path.Match
	// such as https://*.example.org, or "*" for any. Pages of the server's own host
	// and clients that send no origin always may. Default: nobody else.
	Origins []string
	// Heartbeat is how often a WebSocket is asked for a sign of life, and something
	// is sent on an event stream. A WebSocket that is silent for twice as long ends.
	// Default 25 s.
	Heartbeat time.Duration
	// ConnectTimeout is the time for the first request, Authenticate included.
	// Default 30 s.
	ConnectTimeout time.Duration
	// Retry is what event streams are told to wait before they come back. Default
	// 3 s.
	Retry time.Duration
	// MaxMessage bounds a message of a client, bytes. Default 1,000,000.
	MaxMessage int
	// MaxConnections bounds the connections; more are turned away. 0: no bound but
	// that of the system.
	MaxConnections int
	// Places bound the connections of this server and others together. nil: there are
	// no others.
	Places *poll.Places
	// MaxInbox bounds the requests of a connection that wait; when it is full the
	// connection is not read until it is half empty. Default 256.
	MaxInbox int
	// MaxInboxBytes bounds their size in the same way. Default 1 MiB.
	MaxInboxBytes int
	// MaxRequestsPerSecond slows a client that sends more, on average over a second:
	// it is read no faster. Default 5,000; negative: no bound.
	MaxRequestsPerSecond int
	// MaxHeld bounds the messages that wait while a client catches up, bytes; when
	// there are more it is closed, to come back. Default 1 MiB.
	MaxHeld int
	// Slow says what happens to a message that does not fit into the queue of a
	// client that reads too slowly. nil: the connection ends; the client comes back
	// and resumes.
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
	Join     Action = iota + 1 // become a member
	Publish                    // send to the room
	Presence                   // see who is in the room
	// Resume, asked about after Join: get what the room got after an offset that the
	// client gives, as far back as the log reaches, whether it was in the room or not.
	Resume
)

// String is the name of the request.
func (a Action) String() string {
	switch a {
	case Join:
		return "join"
	case Publish:
		return "publish"
	case Presence:
		return "presence"
	case Resume:
		return "resume"
	}
	return "unknown"
}

// Login is what a client says of itself when it connects. Nothing of it is kept.
type Login struct {
	// Token is that of the request connect; else of the HTTP request: the query's
	// token, Authorization: Bearer, a sub-protocol "bearer.TOKEN", or the cookie
	// belfry_token, in this order. Empty: none.
	Token string
	// Request are the headers of the HTTP request that the connection began with.
	Request http.Header
	// URL is the path and query of that request. It may have the token in it.
	URL        string
	RemoteAddr string
}

// Event is what a client sends to the application.
type Event struct {
	Name string
	// Args are the arguments, a JSON array with placeholders for Attachments, as in
	// belfry.Message.
	Args        json.RawMessage
	Attachments [][]byte
	// ID is the client's own name for the event, the same when it is repeated; empty:
	// none. Other clients may use the same.
	ID string
}

// Answer is what the application says to an Event: a JSON array, with placeholders
// for Attachments.
type Answer struct {
	Args        json.RawMessage
	Attachments [][]byte
	// Await, if not nil, returns the answer later, from a goroutine of its own: the
	// client's next requests are handled meanwhile. ctx ends when the client goes
	// away.
	Await func(ctx context.Context) (*Answer, error)
}

const minHeartbeat = 10 * time.Millisecond

func (o Options) withDefaults() Options {
	set(&o.Namespace, "/")
	set(&o.Heartbeat, 25*time.Second)
	set(&o.ConnectTimeout, 30*time.Second)
	set(&o.Retry, 3*time.Second)
	set(&o.MaxMessage, 1_000_000)
	set(&o.MaxRequestsPerSecond, 5000)
	set(&o.MaxHeld, 1<<20)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

func set[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Validate names the options that cannot work, all of them.
func (o Options) Validate() error {
	var errs []error
	bad := func(field string, v any, rule string) {
		errs = append(errs, fmt.Errorf("plain: Options.%s is %v: must be %s", field, v, rule))
	}
	if o.Namespace != "" && o.Namespace[0] != '/' {
		bad("Namespace", o.Namespace, "/ or /name")
	}
	if o.Heartbeat != 0 && o.Heartbeat < minHeartbeat {
		bad("Heartbeat", o.Heartbeat, "10ms or more, or 0 for the default")
	}
	for _, d := range []struct {
		name string
		v    time.Duration
	}{{"ConnectTimeout", o.ConnectTimeout}, {"Retry", o.Retry}} {
		if d.v < 0 {
			bad(d.name, d.v, "positive, or 0 for the default")
		}
	}
	for _, n := range []struct {
		name string
		v    int
	}{
		{"MaxMessage", o.MaxMessage},
		{"MaxConnections", o.MaxConnections},
		{"MaxInbox", o.MaxInbox},
		{"MaxInboxBytes", o.MaxInboxBytes},
		{"MaxHeld", o.MaxHeld},
	} {
		if n.v < 0 {
			bad(n.name, n.v, "positive, or 0 for the default")
		}
	}
	if err := origin.Validate(o.Origins); err != nil {
		bad("Origins", o.Origins, "patterns of path.Match: "+err.Error())
	}
	return errors.Join(errs...)
}
