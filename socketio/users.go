package socketio

import (
	"context"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/hub"
)

// visible leaves out the rooms that are Belfry's own.
func visible(rooms []belfry.Room) []belfry.Room { return slices.DeleteFunc(rooms, hub.Reserved) }

var errUser = errors.New("the name of a user must be valid UTF-8")

// SetUser names the user behind the socket, for ToUser, UserSockets and presence;
// 256 bytes at most, empty for none. Who the client is, is for the caller to know:
// a middleware that checks a token is the place. The name survives recovery.
func (s *Socket) SetUser(user string) error {
	if !utf8.ValidString(user) {
		return errUser
	}
	if err := sized("user", len(user), hub.MaxUser); err != nil {
		return err
	}
	a := s.attending()
	if s.slot.Load() == 0 {
		return s.setUserEarly(a, user)
	}
	ctx, cancel := s.nsp.server.busContext()
	defer cancel()
	if err := a.take(ctx); err != nil {
		return err
	}
	defer a.give()
	return s.changeUser(ctx, a, user)
}

// changeUser holds the turn of a.
func (s *Socket) changeUser(ctx context.Context, a *attendance, user string) error {
	old := s.User()
	if old == user {
		return nil
	}
	if user != "" {
		if err := s.joinRooms(hub.UserRoom(user)); err != nil {
			return err
		}
	}
	if old != "" {
		s.leaveRooms(hub.UserRoom(old))
	}
	s.nameUser(a, user)
	for room := range a.in {
		if err := s.enterRoom(ctx, a, room, belfry.Amend); err != nil {
			return err
		}
	}
	return nil
}

// setUserEarly is SetUser of a socket whose middlewares are running.
func (s *Socket) setUserEarly(a *attendance, user string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Load() != connecting {
		return ErrDisconnected
	}
	s.x.early = slices.DeleteFunc(s.x.early, func(r belfry.Room) bool { return a.user != "" && r == hub.UserRoom(a.user) })
	if user != "" {
		s.x.early = append(s.x.early, hub.UserRoom(user))
	}
	a.user = user
	return nil
}

func (s *Socket) nameUser(a *attendance, user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.user = user
}

// User is what SetUser named, empty if it did not.
func (s *Socket) User() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.x == nil || s.x.attendance == nil {
		return ""
	}
	return s.x.attendance.user
}

// resumeUser names the user that a session had.
func (s *Socket) resumeUser(rooms []belfry.Membership) {
	for _, m := range rooms {
		if user, ok := strings.CutPrefix(string(m.Room), hub.UserPrefix); ok {
			s.nameUser(s.attending(), user)
		}
	}
}

// settleUser moves a recovered socket to the room of the user that a middleware
// has named, if that is not the one that the session had.
func (s *Socket) settleUser(rooms []belfry.Membership) error {
	wanted := hub.UserRoom(s.User())
	for _, m := range rooms {
		if strings.HasPrefix(string(m.Room), hub.UserPrefix) && m.Room != wanted {
			s.leaveRooms(m.Room)
		}
	}
	if wanted == hub.UserPrefix || s.nsp.space.Has(hub.Slot(s.slot.Load()), wanted) {
		return nil
	}
	return s.joinRooms(wanted)
}

// ToUser addresses the sockets of a user, on all nodes.
func (n *Namespace) ToUser(user string) Broadcast { return n.To(hub.UserRoom(user)) }

// UserSockets describes the sockets of a user, on all nodes. If some nodes do not
// answer in time it returns the sockets of the others and a *hub.Incomplete.
func (n *Namespace) UserSockets(ctx context.Context, user string) ([]RemoteSocket, error) {
	return n.ToUser(user).FetchSockets(ctx)
}
