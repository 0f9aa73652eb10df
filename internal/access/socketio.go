package access

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/auth"
	"github.com/seed-09a96375/belfry/socketio"
)

// socket is a client of Socket.IO.
type socket struct{ *socketio.Socket }

// OfSocketIO is the client behind a socket of Socket.IO.
func OfSocketIO(s *socketio.Socket) Client { return socket{s} }

// farewell bounds the sending of the last event.
const farewell = time.Second

// Expire implements Client: the event expired ({code,message}), and then DISCONNECT.
func (s socket) Expire(why *auth.Error) {
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	_ = s.Emit(ctx, "expired", map[string]any{"code": why.Code, "message": why.Message}) // or it has gone
	s.Disconnect(false)
}

// ServeSocketIO guards the main namespace of a server, and registers what its clients
// may do, as far as they are allowed:
//
//	join     (room, ack)                joins the room
//	leave    (room, ack)                leaves it
//	publish  (room, event, data, ack)   emits event (data) to the room, on all nodes
//	refresh  (token, ack)               goes on with another token of the same user;
//	                                    ack ({expires}), seconds since 1970, 0: never
//	presence (room, ack)                ack ([members]), where the room keeps presence
//
// An ack without arguments says that it is done.
func (g *Guard) ServeSocketIO(srv *socketio.Server) {
	if g.Guarded() {
		srv.Use(g.admitSocket)
		srv.OnConnect(func(_ context.Context, s *socketio.Socket) { g.Review(socket{s}) })
		srv.OnDisconnect(func(s *socketio.Socket, _ socketio.Reason) { g.Forget(socket{s}) })
	}
	socketio.OnAck(srv, "refresh", g.refreshSocket)
	socketio.OnAck(srv, "presence", func(ctx context.Context, s *socketio.Socket, room belfry.Room) ([]socketio.Present, error) {
		if err := g.May(socket{s}, auth.Presence, room); err != nil {
			return nil, err
		}
		return srv.Presence(room).Members(ctx)
	})
	socketio.On(srv, "join", func(_ context.Context, s *socketio.Socket, room belfry.Room) error {
		if err := g.May(socket{s}, auth.Join, room); err != nil {
			return err
		}
		return s.Join(room)
	})
	socketio.On(srv, "leave", func(_ context.Context, s *socketio.Socket, room belfry.Room) error {
		if room == "" || room[0] == 0 {
			return checkRoom(socket{s}, auth.Join, room)
		}
		s.Leave(room)
		return nil
	})
	socketio.On(srv, "publish", func(ctx context.Context, s *socketio.Socket, args socketio.Args) error {
		return g.publish(ctx, srv, s, args)
	})
}

// admitSocket is the middleware. It runs on recovery, too: a session does not outlive
// the right to it.
func (g *Guard) admitSocket(ctx context.Context, s *socketio.Socket) error {
	token, err := tokenOf(s)
	if err != nil {
		return refusal(err)
	}
	id, err := g.Identify(ctx, shownBy(s, token))
	if err != nil {
		return refusal(err)
	}
	if s.Recovered() && s.User() != id.User {
		return refusal(forbidden("the session is another user's"))
	}
	if err := s.SetUser(id.User); err != nil {
		return err
	}
	g.Admit(socket{s}, id)
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

func shownBy(s *socketio.Socket, token string) auth.Credentials {
	h := s.Session().Handshake()
	return auth.Credentials{Token: token, Address: h.RemoteAddr(), Header: h.Header().Get}
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

// refreshed answers refresh.
type refreshed struct {
	Expires int64 `json:"expires"`
}

func (g *Guard) refreshSocket(ctx context.Context, s *socketio.Socket, token string) (refreshed, error) {
	end, err := g.Refresh(ctx, socket{s}, shownBy(s, token))
	return refreshed{seconds(end)}, err
}

func (g *Guard) publish(ctx context.Context, srv *socketio.Server, s *socketio.Socket, args socketio.Args) error {
	var room belfry.Room
	var event string
	if err := args.Decode(&room, &event); err != nil {
		return err
	}
	if err := g.May(socket{s}, auth.Publish, room); err != nil {
		return err
	}
	if event == "" {
		return errors.New("argument 2: the event has no name")
	}
	data := args.Raw(2)
	if data == nil {
		data = json.RawMessage("null")
	}
	return srv.To(room).From(s).Emit(ctx, event, data)
}
