package socketio_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/socketio"
)

// One member of a room at a time shares its screen.
func ExampleState_CompareAndSet() {
	srv, err := socketio.New(socketio.Options{Presence: socketio.RoomPattern("meet:*")})
	if err != nil {
		panic(err)
	}
	socketio.OnAck(srv, "join", func(ctx context.Context, s *socketio.Socket, room belfry.Room) ([]socketio.Present, error) {
		if err := s.Join(room); err != nil {
			return nil, err
		}
		return srv.Presence(room).Members(ctx)
	})
	socketio.OnAck(srv, "share", func(ctx context.Context, s *socketio.Socket, room belfry.Room) (bool, error) {
		_, err := srv.State(room).CompareAndSet(ctx, "sharing", s.ID(), 0, socketio.OwnedBy(s))
		if errors.Is(err, socketio.ErrConflict) {
			return false, nil // somebody does already
		}
		return err == nil, err
	})

	_, err = srv.State("meet:1").CompareAndSet(context.Background(), "sharing", nil, 0)
	fmt.Println(errors.Is(err, socketio.ErrEmptyRoom))
	_ = srv.Close(context.Background())
	// Output: true
}
