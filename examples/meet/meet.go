// Package meet is a room in which one person at a time shows their screen to the
// others, on any number of nodes: an application of package socketio on presence
// and room state. The pictures go from browser to browser by WebRTC; the server
// tells people of each other and passes on what their browsers have to agree on.
//
//	from the client  arguments
//	join-room        room, user           a client is in one room at a time
//	leave-room       room, user
//	start-sharing    room, user           refused while somebody else shares
//	stop-sharing     room, user
//	offer            {to, offer}          to a user of the same room, on any
//	answer           {to, answer}         node; the server adds who sent it
//	ice-candidate    {to, candidate}
//
//	to the client         payload
//	existing-users        [user,…]                          who joins
//	user-joined           user                              the others
//	user-left             user                              the others
//	user-started-sharing  user                              the others
//	user-stopped-sharing  user                              the others
//	room-users-updated    [{id, socketId, isSharing},…]     the room
//	room-stats-updated    {userCount, users:[{id, socketId,
//	                      isSharing, joinedAt},…],
//	                      sharingUser}                      the room
//	offer                 {offer, from}                     one client
//	answer                {answer, from}                    one client
//	ice-candidate         {candidate, from}                 one client
//
// Who joins gets existing-users, the others user-joined, and then all of the room
// room-users-updated and room-stats-updated; every change ends with these two.
// An event that is refused is acked with {"error":{"message":"…"}}, any other
// with nothing.
//
// What is true is in the bus: presence says who is in a room, and the entry
// "sharing" of its state who shares, for as long as that client is there. See
// rooms.go for how clients are told.
package meet

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/socketio"
)

// prefix sets the rooms of this package apart from others on the same server.
const prefix = "meet:"

// Keeps tells which rooms are of this package. The server's Options.Presence has
// to accept them.
func Keeps(room belfry.Room) bool { return strings.HasPrefix(string(room), prefix) }

// sharing is the entry of a room's state that belongs to who shares.
const sharing = "sharing"

// Options of a Meet. The zero value is ready for use.
type Options struct {
	// MaxUsers is how many may be in a room. Who shares sends the picture to each
	// of the others. Default 25.
	MaxUsers int
	// MaxRooms bounds the rooms that have somebody on this node. Default 10,000.
	MaxRooms int
	// ICEServers help browsers to reach each other. Default none, which is enough
	// within one network.
	ICEServers []ICEServer
	// Links are shown on the start page: where else to go.
	Links []Link
	// Logger gets what clients are not told. Default slog.Default().
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.MaxUsers < 1 {
		o.MaxUsers = 25
	}
	if o.MaxRooms < 1 {
		o.MaxRooms = 10_000
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

// Meet serves the rooms on one node. Every node of the cluster has its own.
type Meet struct {
	server *socketio.Server
	opts   Options
	rooms  *rooms
}

// New registers the events on the main namespace of srv.
func New(srv *socketio.Server, o Options) *Meet {
	m := &Meet{server: srv, opts: o.withDefaults(), rooms: newRooms(srv)}
	for event, h := range map[string]roomHandler{
		"join-room": m.join, "leave-room": m.leave, "start-sharing": m.start, "stop-sharing": m.stop,
	} {
		socketio.On2(srv, event, func(ctx context.Context, s *socketio.Socket, room, user string) error {
			return m.public(event, h(ctx, s, room, user))
		})
	}
	for _, k := range signals {
		socketio.On(srv, k.event, func(ctx context.Context, s *socketio.Socket, in map[string]json.RawMessage) error {
			return m.public(k.event, m.relay(ctx, s, k, in))
		})
	}
	srv.OnRoomChange(m.rooms.changed)
	srv.OnConnect(m.connected)
	srv.OnDisconnect(m.disconnected)
	return m
}

type roomHandler func(ctx context.Context, s *socketio.Socket, room, user string) error

// join puts s into a room as that user. Who is in another room leaves it.
func (m *Meet) join(ctx context.Context, s *socketio.Socket, id, user string) error {
	room, err := cleanRoom(id)
	if err != nil {
		return err
	}
	if user, err = cleanUser(user); err != nil {
		return err
	}
	if err := m.admit(ctx, room, user, s.ID()); err != nil {
		return err
	}
	if before, ok := roomOf(s); ok {
		m.quit(s, before)
	}
	m.rooms.expect(room, s.ID())
	if err := m.enter(ctx, s, room, user); err != nil {
		m.quit(s, room)
		return err
	}
	return nil
}

// enter asks twice: of two who come at the same moment each sees the other in the
// end, so neither the room gets too full nor two people the same name.
func (m *Meet) enter(ctx context.Context, s *socketio.Socket, room belfry.Room, user string) error {
	if err := s.SetUser(user); err != nil {
		return err
	}
	if err := s.Join(room); err != nil {
		return err
	}
	return m.admit(ctx, room, user, s.ID())
}

// admit tells whether a socket can be in the room as that user.
func (m *Meet) admit(ctx context.Context, room belfry.Room, user string, as belfry.SocketID) error {
	if n := m.rooms.others(room); n >= m.opts.MaxRooms {
		return refusef("the server has %d rooms, as many as it takes", n)
	}
	there, err := m.server.Presence(room).Members(ctx)
	if err != nil {
		return err
	}
	others := 0
	for _, p := range there {
		switch {
		case p.ID == as:
		case p.User == user:
			return refusef("%q is in the room already", user)
		default:
			others++
		}
	}
	if others >= m.opts.MaxUsers {
		return refusef("the room is full: %d people are in it", others)
	}
	return nil
}

func (m *Meet) leave(_ context.Context, s *socketio.Socket, id, _ string) error {
	room, err := in(s, id)
	if err != nil {
		return err
	}
	m.quit(s, room)
	return nil
}

// quit takes s out of the room. What it shares there ends with that.
func (m *Meet) quit(s *socketio.Socket, room belfry.Room) {
	s.Leave(room)
	_ = s.SetUser("") // fails for what is too long only
	m.rooms.left(room, s.ID())
}

// start makes s the one who shares: the entry is set only if there is none, and
// goes with s, however s goes.
func (m *Meet) start(ctx context.Context, s *socketio.Socket, id, _ string) error {
	room, err := in(s, id)
	if err != nil {
		return err
	}
	_, err = m.server.State(room).CompareAndSet(ctx, sharing, s.User(), 0, socketio.OwnedBy(s))
	var taken *socketio.ConflictError
	switch {
	case !errors.As(err, &taken):
		return err
	case taken.Current.Owner == s.ID():
		return nil
	}
	return errTaken
}

// stop ends what s shares, and nothing that others share.
func (m *Meet) stop(ctx context.Context, s *socketio.Socket, id, _ string) error {
	room, err := in(s, id)
	if err != nil {
		return err
	}
	e, err := sharerOf(ctx, m.server, room)
	if err != nil {
		return err
	}
	if e.Owner != s.ID() {
		return errNotSharing
	}
	return m.server.State(room).Delete(ctx, sharing, e.Version)
}

// connected brings a client up to date that was away.
func (m *Meet) connected(_ context.Context, s *socketio.Socket) {
	if room, ok := roomOf(s); ok {
		m.server.RoomChanged(room)
	}
}

func (m *Meet) disconnected(s *socketio.Socket, _ socketio.Reason) {
	if room, ok := roomOf(s); ok {
		m.rooms.left(room, s.ID())
	}
}

// roomOf returns the room that s is in, or was in when it disconnected.
func roomOf(s *socketio.Socket) (belfry.Room, bool) {
	for _, room := range s.Rooms() {
		if Keeps(room) {
			return room, true
		}
	}
	return "", false
}

// in returns the room of that name if s is in it.
func in(s *socketio.Socket, id string) (belfry.Room, error) {
	if room, ok := roomOf(s); ok && room == belfry.Room(prefix+id) {
		return room, nil
	}
	return "", errNotIn
}
