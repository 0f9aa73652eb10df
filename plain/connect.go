package plain

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/hub"
)

// busTimeout bounds the wait for the bus where nothing else does.
const busTimeout = 5 * time.Second

const (
	subprotocol    = "belfry"
	bearerProtocol = "bearer."      // and the token: browsers can set no header but this one
	tokenCookie    = "belfry_token" //nolint:gosec // the name of a cookie, not what is in it
)

// newLogin takes what a request says of a client. Nothing of the request is kept but
// its headers.
func newLogin(r *http.Request) *Login {
	return &Login{Token: tokenOf(r), Request: r.Header.Clone(), URL: r.URL.RequestURI(), RemoteAddr: r.RemoteAddr}
}

func tokenOf(r *http.Request) string {
	if token := r.URL.Query().Get("token"); token != "" {
		return token
	}
	if scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	for _, list := range r.Header.Values("Sec-Websocket-Protocol") {
		for name := range strings.SplitSeq(list, ",") {
			if token, ok := strings.CutPrefix(strings.TrimSpace(name), bearerProtocol); ok {
				return token
			}
		}
	}
	if cookie, err := r.Cookie(tokenCookie); err == nil {
		return cookie.Value
	}
	return ""
}

// connect makes the client a member of the hub; its first request does, whatever it
// is. It reports whether the client is connected. Who is refused is told, and the
// connection ends.
func (c *Conn) connect(ctx context.Context, r *request) bool {
	want := r.Connect
	if !c.is(waiting) {
		c.answerError(r.ID, &Error{Code: codeConnected, Message: "connected already: join rooms, or refresh the token"})
		return true
	}
	if want == nil {
		want = new(connectRequest)
	}
	rooms, err := checkRooms(want.Rooms)
	if err == nil {
		err = c.authenticate(ctx, want.Token)
	}
	if err == nil {
		err = c.mayJoin(ctx, rooms, want.Offset)
	}
	if err == nil {
		err = c.enter(ctx, &arrival{rooms: rooms, after: want.Offset, first: true, tell: func(how entered) {
			if r.Connect != nil {
				c.answer(r.ID, how)
			}
		}})
	}
	if err != nil {
		c.server.counters.refused.Add(1)
		c.fail(asError(err, codeFailed), r.ID)
		return false
	}
	return true
}

// authenticate asks the application who the client is. token, if there is one, counts
// for more than that of the HTTP request.
func (c *Conn) authenticate(ctx context.Context, token string) error {
	c.mu.Lock()
	l := c.more.login
	c.more = nil // it has done its duty
	c.mu.Unlock()
	if c.server.o.Authenticate == nil {
		return nil
	}
	if token != "" {
		l.Token = token
	}
	user, err := c.server.o.Authenticate(ctx, c, l)
	if err != nil {
		return asError(err, codeUnauthorized)
	}
	c.mu.Lock()
	c.user, c.admits = user, true
	c.mu.Unlock()
	if len(user) > hub.MaxUser {
		return &Error{Code: codeFailed, Message: "the name of the user is too long"}
	}
	return nil
}

// appear makes the client a member of the hub. What is delivered is held back.
func (c *Conn) appear(ctx context.Context) error {
	slot, err := c.server.space.Add(ctx, c)
	if err != nil {
		return err
	}
	c.mu.Lock()
	if c.state >= ended {
		c.mu.Unlock()
		c.server.space.Remove(slot, c.id)
		return context.Canceled
	}
	c.slot = slot
	user := c.user
	c.mu.Unlock()
	if user == "" {
		return nil
	}
	_, _, err = c.server.space.Join(ctx, slot, hub.UserRoom(user))
	return err
}

// own are the rooms that a client is in by being who it is.
func (c *Conn) own() []belfry.Room {
	own := []belfry.Room{belfry.Room(c.id)}
	if user := c.User(); user != "" {
		own = append(own, hub.UserRoom(user))
	}
	return own
}
