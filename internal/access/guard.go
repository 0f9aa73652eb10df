// Package access says, for all fronts of a node alike, who its clients are, what they
// may do, and when that ends.
//
//	guarded   there is an Authenticator   a token opens, its grants allow, its end closes
//	open      Options.Open                everybody may do everything, nobody has a name
//	closed    neither                     everybody may connect, and get what is sent to them
//
//	front       shows a token by                                 goes on by
//	Socket.IO   auth.token, Authorization                        event refresh (token, ack)
//	STOMP       passcode, Authorization, ?token= of the request  SEND to /app/refresh
//	plain       connect, Authorization, ?token=, sub-protocol    request refresh
//	SSE         Authorization, ?token=, cookie                   coming back
//
// The fronts ask; what a room or a destination is called is theirs.
package access

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/auth"
)

// Client is a client of some front. Values of it are compared: the same client is
// equal to itself. Safe for concurrent use.
type Client interface {
	ID() belfry.SocketID
	// User is who it is, empty for nobody.
	User() string
	// Rooms are those it is in; its own may be among them.
	Rooms() []belfry.Room
	Leave(rooms ...belfry.Room)
	// Connected reports whether it has been let in, and has not gone.
	Connected() bool
	// Expire tells it why it has to go, and ends it. It does not block for long.
	Expire(why *auth.Error)
}

// Options of a Guard. The zero value is a node that is closed.
type Options struct {
	// Auth knows the clients. It stays the caller's. nil: nobody is asked who they
	// are.
	Auth *auth.Authenticator
	// Open lets everybody do everything, unless there is Auth.
	Open bool
	// Logger gets what an operator should see. Default slog.Default().
	Logger *slog.Logger
}

// Guard lets clients in, checks what they do, and ends them when their tokens do.
// Safe for concurrent use.
type Guard struct {
	o       Options
	log     *slog.Logger
	clients clients
	cancel  context.CancelFunc
	done    chan struct{}
}

// New returns a guard, to be closed after the fronts that it is for.
func New(o Options) *Guard {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	ctx, cancel := context.WithCancel(context.Background())
	g := &Guard{o: o, log: o.Logger, clients: newClients(), cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(g.done)
		g.clients.run(ctx, func(c Client) { c.Expire(expired) })
	}()
	return g
}

var expired = &auth.Error{Code: auth.Expired, Message: "the token has expired"} // never changed

// Close ends what New started. Nobody expires any more.
func (g *Guard) Close() {
	g.cancel()
	<-g.done
}

// Guarded reports whether clients are asked who they are.
func (g *Guard) Guarded() bool { return g.o.Auth != nil }

// Identify says who shows the credentials; on a node that is not guarded everybody is
// nobody. The error is an *auth.Error.
func (g *Guard) Identify(ctx context.Context, c auth.Credentials) (*auth.Identity, error) {
	if !g.Guarded() {
		return &auth.Identity{}, nil
	}
	id, err := g.o.Auth.Client(ctx, c)
	switch {
	case err == nil:
		return id, nil
	case auth.CodeOf(err) == auth.Unavailable:
		g.log.Warn("client cannot be authenticated now: it comes back", "err", causeOf(err))
	default:
		g.log.Debug("client refused", "address", c.Address, "err", err, "cause", causeOf(err))
	}
	return nil, err
}

func causeOf(err error) error {
	if e, ok := err.(interface{ Unwrap() error }); ok && e.Unwrap() != nil {
		return e.Unwrap()
	}
	return err
}

// Admit notes who a client is: from now on May knows it. Forget follows.
func (g *Guard) Admit(c Client, id *auth.Identity) {
	if g.Guarded() {
		g.clients.add(c, id)
	}
}

// Forget follows the end of a client.
func (g *Guard) Forget(c Client) { g.clients.forget(c) }

// May says why a client may not do something in a room; nil: it may. The error is an
// *auth.Error.
func (g *Guard) May(c Client, a auth.Action, room belfry.Room) error {
	if err := checkRoom(c, a, room); err != nil {
		return err
	}
	switch {
	case !g.Guarded() && g.o.Open:
		return nil
	case !g.Guarded():
		return forbidden("not allowed: %s %q: this node asks nobody who they are, and is not open: it needs auth in its configuration, or --open for a trial", a, room)
	}
	if id := g.clients.identity(c); id == nil || !id.Grants.May(a, room) {
		return forbidden("not allowed: %s %q", a, room)
	}
	return nil
}

func forbidden(format string, args ...any) error {
	return &auth.Error{Code: auth.Forbidden, Message: fmt.Sprintf(format, args...)}
}

// Refresh goes on with another token of the same user, and takes the client out of
// the rooms that it does not allow. It returns when that ends, the zero time for
// never. The error is an *auth.Error; the client goes on as it was.
func (g *Guard) Refresh(ctx context.Context, c Client, shown auth.Credentials) (time.Time, error) {
	if !g.Guarded() {
		return time.Time{}, &auth.Error{Code: auth.Invalid, Message: "there are no tokens here"}
	}
	id, err := g.Identify(ctx, shown)
	if err != nil {
		return time.Time{}, err
	}
	if id.User != c.User() {
		return time.Time{}, forbidden("the token is another user's")
	}
	g.clients.add(c, id)
	evict(c, id)
	return id.Expires, nil
}

// Review takes a client out of the rooms that it may not be in: one that has come back
// may have had more.
func (g *Guard) Review(c Client) {
	if id := g.clients.identity(c); id != nil {
		evict(c, id)
	}
}

func evict(c Client, id *auth.Identity) {
	for _, room := range c.Rooms() {
		if room != belfry.Room(c.ID()) && !id.Grants.May(auth.Join, room) {
			c.Leave(room)
		}
	}
}

// addressOf is the address of a client, empty once it has gone.
func addressOf(a net.Addr) string {
	if a == nil {
		return ""
	}
	return a.String()
}

// seconds is t since 1970, 0 for the zero time.
func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
