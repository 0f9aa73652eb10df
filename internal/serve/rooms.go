package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/auth"
	"github.com/seed-09a96375/belfry/socketio"
)

// permission says whether a client may do something in a room; nil: it may.
type permission func(s *socketio.Socket, a auth.Action, room belfry.Room) error

// everyone is the permission of an open node.
func everyone(*socketio.Socket, auth.Action, belfry.Room) error { return nil }

// offerRooms registers what clients may do on the main namespace, as far as they
// are permitted:
//
//	join     (room, ack)                joins the room
//	leave    (room, ack)                leaves it
//	publish  (room, event, data, ack)   emits event (data) to the room, on all nodes
//
// An ack without arguments says that it is done.
func offerRooms(srv *socketio.Server, may permission) {
	socketio.On(srv, "join", func(_ context.Context, s *socketio.Socket, room string) error {
		r, err := roomOf(room)
		if err == nil {
			err = may(s, auth.Join, r)
		}
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
	socketio.On(srv, "publish", func(ctx context.Context, s *socketio.Socket, args socketio.Args) error {
		return publish(ctx, srv, s, may, args)
	})
}

func publish(ctx context.Context, srv *socketio.Server, s *socketio.Socket, may permission, args socketio.Args) error {
	var room, event string
	if err := args.Decode(&room, &event); err != nil {
		return err
	}
	r, err := roomOf(room)
	if err == nil {
		err = may(s, auth.Publish, r)
	}
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
