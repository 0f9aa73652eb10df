package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/auth"
	"github.com/seed-09a96375/belfry/socketio"
)

// guard lets clients in, checks what they do, and ends their sessions when their
// tokens do.
//
//	connect   auth.token, or Authorization: Bearer → user, grants, expiry
//	refresh   (token, ack)     goes on with another token of the same user;
//	                           ack ({expires}), in seconds since 1970, 0: never
//	expired   ({code,message}) to the client, and then DISCONNECT
type guard struct {
	auth    *auth.Authenticator
	log     *slog.Logger
	clients clients
	cancel  context.CancelFunc
	done    chan struct{}
}

// newGuard returns a guard, to be closed.
func newGuard(o auth.Options, log *slog.Logger) (*guard, error) {
	o.Logger = log
	a, err := auth.New(o)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	g := &guard{auth: a, log: log, clients: newClients(), cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(g.done)
		g.clients.run(ctx, g.expire)
	}()
	return g, nil
}

// close follows the end of the server.
func (g *guard) close() {
	g.cancel()
	<-g.done
	g.auth.Close()
}

// watch makes the guard that of a server.
func (g *guard) watch(srv *socketio.Server) {
	srv.Use(g.admit)
	srv.OnConnect(g.connected)
	srv.OnDisconnect(func(s *socketio.Socket, _ socketio.Reason) { g.clients.forget(s) })
	socketio.OnAck(srv, "refresh", g.refresh)
	offerRooms(srv, g.permit)
}

// admit is the middleware. It runs on recovery, too: a session does not outlive
// the right to it.
func (g *guard) admit(ctx context.Context, s *socketio.Socket) error {
	token, err := tokenOf(s)
	if err != nil {
		return refusal(err)
	}
	id, err := g.identify(ctx, s, token)
	if err != nil {
		return refusal(err)
	}
	if s.Recovered() && s.User() != id.User {
		return refusal(&auth.Error{Code: auth.Forbidden, Message: "the session is another user's"})
	}
	if err := s.SetUser(id.User); err != nil {
		return err
	}
	g.clients.add(s, id)
	return nil
}

// tokenOf is where clients show tokens: browsers cannot set headers for a
// WebSocket.
func tokenOf(s *socketio.Socket) (string, error) {
	var shown struct {
		Token string `json:"token"`
	}
	if a := s.Auth(); len(a) > 0 && json.Unmarshal(a, &shown) != nil {
		return "", &auth.Error{Code: auth.Invalid, Message: "auth.token must be a text"}
	}
	if shown.Token != "" {
		return shown.Token, nil
	}
	return auth.Bearer(s.Session().Handshake().Header().Get("Authorization")), nil
}

func (g *guard) identify(ctx context.Context, s *socketio.Socket, token string) (*auth.Identity, error) {
	h := s.Session().Handshake()
	id, err := g.auth.Client(ctx, auth.Credentials{Token: token, Address: h.RemoteAddr(), Header: h.Header().Get})
	switch {
	case err == nil:
		return id, nil
	case auth.CodeOf(err) == auth.Unavailable:
		g.log.Warn("client cannot be authenticated now: it comes back", "err", causeOf(err))
	default:
		g.log.Debug("client refused", "address", h.RemoteAddr(), "err", err, "cause", causeOf(err))
	}
	return nil, err
}

func causeOf(err error) error {
	if e, ok := err.(interface{ Unwrap() error }); ok && e.Unwrap() != nil {
		return e.Unwrap()
	}
	return err
}

// refusal is what the client gets: connect_error with data.code, or, when nobody
// can tell, the end of the connection, after which it tries again by itself.
func refusal(err error) error {
	code := auth.CodeOf(err)
	if code == auth.Unavailable {
		return fmt.Errorf("%w: %w", belfry.ErrUnavailable, err)
	}
	return &socketio.ConnectError{Message: err.Error(), Data: map[string]auth.Code{"code": code}}
}

func (g *guard) connected(_ context.Context, s *socketio.Socket) {
	if id := g.clients.identity(s); id != nil {
		evict(s, id) // a recovered one may have had more
	}
}

// evict takes a client out of the rooms that it may not be in.
func evict(s *socketio.Socket, id *auth.Identity) {
	for _, room := range s.Rooms() {
		if room != belfry.Room(s.ID()) && !id.Grants.May(auth.Join, room) {
			s.Leave(room)
		}
	}
}

func (g *guard) permit(s *socketio.Socket, a auth.Action, room belfry.Room) error {
	id := g.clients.identity(s)
	if id == nil || !id.Grants.May(a, room) {
		return fmt.Errorf("not allowed: %s %q", a, room)
	}
	return nil
}

// refreshed answers refresh.
type refreshed struct {
	Expires int64 `json:"expires"`
}

func (g *guard) refresh(ctx context.Context, s *socketio.Socket, token string) (refreshed, error) {
	id, err := g.identify(ctx, s, token)
	if err != nil {
		return refreshed{}, err
	}
	if id.User != s.User() {
		return refreshed{}, &auth.Error{Code: auth.Forbidden, Message: "the token is another user's"}
	}
	g.clients.add(s, id)
	evict(s, id)
	if id.Expires.IsZero() {
		return refreshed{}, nil
	}
	return refreshed{id.Expires.Unix()}, nil
}

// farewell bounds the sending of the last event.
const farewell = time.Second

// expire ends the session of a client whose token has ended.
func (g *guard) expire(s *socketio.Socket) {
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	_ = s.Emit(ctx, "expired", map[string]any{"code": auth.Expired, "message": "the token has expired"}) // or it has gone
	s.Disconnect(false)
}
