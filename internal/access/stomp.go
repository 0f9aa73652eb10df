package access

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/seed-09a96375/belfry/auth"
	"github.com/seed-09a96375/belfry/stomp"
)

// conn is a client of STOMP.
type conn struct{ *stomp.Conn }

// OfSTOMP is the client behind a connection of STOMP.
func OfSTOMP(c *stomp.Conn) Client { return conn{c} }

// Expire implements Client: ERROR with a header code, and the end of the connection.
func (c conn) Expire(why *auth.Error) { c.End(string(why.Code), why.Message) }

// GuardSTOMP sets the hooks of a STOMP front. To subscribe to /topic/NAME is to join
// room NAME, to send there is to publish. /user/queue/NAME is everybody's own, the
// queues of others are nobody's. SEND to /app/refresh, whose body is a token, goes on
// with that; what else goes to /app/ is for o.App.
func (g *Guard) GuardSTOMP(o *stomp.Options) {
	if g.Guarded() {
		o.Authenticate = g.admitConn
		o.Closed = func(c *stomp.Conn) { g.Forget(conn{c}) }
	}
	o.Authorize = g.authorizeSTOMP
	o.App = g.refreshOr(o.App)
}

func (g *Guard) admitConn(ctx context.Context, l *stomp.Login) (string, error) {
	id, err := g.Identify(ctx, auth.Credentials{Token: shownToSTOMP(l), Address: l.RemoteAddr, Header: l.Request.Get})
	if err != nil {
		return "", err
	}
	g.Admit(conn{l.Conn()}, id)
	return id.User, nil
}

// shownToSTOMP is the token of a client: browsers cannot set headers for a WebSocket,
// and some libraries none of CONNECT.
func shownToSTOMP(l *stomp.Login) string {
	if l.Passcode != "" {
		return l.Passcode
	}
	if token := auth.Bearer(l.Authorization); token != "" {
		return token
	}
	if u, err := url.Parse(l.URL); err == nil {
		return u.Query().Get("token")
	}
	return ""
}

func (g *Guard) authorizeSTOMP(_ context.Context, c *stomp.Conn, a stomp.Action, destination string) error {
	room, ok := stomp.Topic(destination)
	switch {
	case ok && a == stomp.Subscribe:
		return g.May(conn{c}, auth.Join, room)
	case ok:
		return g.May(conn{c}, auth.Publish, room)
	case stomp.Own(destination):
		return nil
	}
	return forbidden("not allowed: only backends send to the queues of other users")
}

// appRefresh is what follows /app/ for a new token.
const appRefresh = "refresh"

// refreshOr handles a new token, and leaves the rest to next; nil: there is none. The
// answer is refreshed, at /user/queue/refresh.
func (g *Guard) refreshOr(next func(context.Context, *stomp.Conn, *stomp.Message) error) func(context.Context, *stomp.Conn, *stomp.Message) error {
	return func(ctx context.Context, c *stomp.Conn, m *stomp.Message) error {
		switch {
		case m.Name == appRefresh:
			return g.refreshConn(ctx, c, m)
		case next == nil:
			return &stomp.Error{Code: "no_route", Message: fmt.Sprintf("no route takes %q", m.Destination)}
		}
		return next(ctx, c, m)
	}
}

func (g *Guard) refreshConn(ctx context.Context, c *stomp.Conn, m *stomp.Message) error {
	end, err := g.Refresh(ctx, conn{c}, auth.Credentials{Token: string(m.Body), Address: addressOf(c.RemoteAddr()), Header: m.Header})
	if err != nil {
		return err
	}
	answer, err := json.Marshal([]refreshed{{seconds(end)}})
	if err != nil {
		return err
	}
	return c.Answer(m, answer)
}
