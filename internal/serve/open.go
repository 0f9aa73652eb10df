package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/socketio"
)

// openTo registers what an open node offers to everyone on the main namespace:
//
//	join     (room, ack)                joins the room
//	leave    (room, ack)                leaves it
//	publish  (room, event, data, ack)   emits event (data) to the room, on all nodes
//
// An ack without arguments says that it is done.
func openTo(srv *socketio.Server) {
	socketio.On(srv, "join", func(_ context.Context, s *socketio.Socket, room string) error {
		r, err := roomOf(room)
		if err != nil {
			return err
		}
		return s.Join(r)
	})
	socketio.On(srv, "leave", func(_ context.Context, s *socketio.Socket, room string) error {
		r, err := roomOf(room)
		if err != nil {
			return err
		}
		s.Leave(r)
		return nil
	})
	socketio.On(srv, "publish", func(ctx context.Context, _ *socketio.Socket, args socketio.Args) error {
		return publish(ctx, srv, args)
	})
}

func publish(ctx context.Context, srv *socketio.Server, args socketio.Args) error {
	var room, event string
	if err := args.Decode(&room, &event); err != nil {
		return err
	}
	r, err := roomOf(room)
	if err != nil {
		return err
	}
	if event == "" {
		return errors.New("argument 2: the event has no name")
	}
	data := args.Raw(2)
	if data == nil {
		data = json.RawMessage("null")
	}
	return srv.To(r).Emit(ctx, event, data)
}

const maxRoom = 200 // bytes of a room's name

// roomOf checks a name that a client gave. A NUL begins names that Belfry itself
// uses.
func roomOf(name string) (belfry.Room, error) {
	switch {
	case name == "":
		return "", errors.New("argument 1: the room has no name")
	case len(name) > maxRoom:
		return "", fmt.Errorf("argument 1: the name of the room has %d bytes: at most %d are allowed", len(name), maxRoom)
	case strings.HasPrefix(name, "\x00"):
		return "", errors.New("argument 1: the name of the room begins with NUL")
	}
	return belfry.Room(name), nil
}
