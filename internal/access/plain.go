package access

import (
	"context"
	"net/http"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/auth"
	"github.com/seed-09a96375/belfry/plain"
)

// plainConn is a client of the plain fronts.
type plainConn struct{ *plain.Conn }

// OfPlain is the client behind a connection of the plain fronts.
func OfPlain(c *plain.Conn) Client { return plainConn{c} }

// Expire implements Client: an error, and the end of the connection.
func (c plainConn) Expire(why *auth.Error) { c.End(string(why.Code), why.Message) }

// GuardPlain sets the hooks of the plain fronts, all but App.
func (g *Guard) GuardPlain(o *plain.Options) {
	o.Authorize = g.authorizePlain
	if !g.Guarded() {
		return
	}
	o.Authenticate = g.admitPlain
	o.Closed = func(c *plain.Conn) { g.Forget(plainConn{c}) }
	o.Refresh = func(ctx context.Context, c *plain.Conn, token string) (time.Time, error) {
		return g.Refresh(ctx, plainConn{c}, auth.Credentials{Token: token, Address: addressOf(c.RemoteAddr()), Header: http.Header{}.Get})
	}
}

func (g *Guard) admitPlain(ctx context.Context, c *plain.Conn, l *plain.Login) (string, error) {
	id, err := g.Identify(ctx, auth.Credentials{Token: l.Token, Address: l.RemoteAddr, Header: l.Request.Get})
	if err != nil {
		return "", err
	}
	g.Admit(plainConn{c}, id)
	return id.User, nil
}

// plainActions are what the front asks about. Who may join a room may resume in it: it
// sees what the room got within the window of recovery, as a client of Socket.IO that
// was away does. Nobody could resume if that were history, for the node does not know
// who was in the room.
var plainActions = map[plain.Action]auth.Action{
	plain.Join: auth.Join, plain.Resume: auth.Join, plain.Publish: auth.Publish, plain.Presence: auth.Presence,
} // never changed

func (g *Guard) authorizePlain(_ context.Context, c *plain.Conn, a plain.Action, room belfry.Room) error {
	action, ok := plainActions[a]
	if !ok {
		return forbidden("not allowed: %s %q", a, room)
	}
	return g.May(plainConn{c}, action, room)
}
