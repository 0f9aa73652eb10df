package hub

import (
	"errors"

	"github.com/seed-09a96375/belfry"
)

// Slot names a member of a Rooms. The zero Slot names none, and neither does
// the slot of a member that was removed: it is never given out again.
type Slot uint64

var (
	// ErrNoMember: the slot names no member (any more).
	ErrNoMember = errors.New("no such member")
	// ErrDuplicateID: a member with this id is there already.
	ErrDuplicateID = errors.New("member id in use")
	// ErrTooManyRooms: the member is in MaxPerMember rooms.
	ErrTooManyRooms = errors.New("too many rooms")
)

// Hooks are told of changes; every func is optional.
type Hooks struct {
	CreateRoom func(room belfry.Room)
	JoinRoom   func(room belfry.Room, id belfry.SocketID)
	LeaveRoom  func(room belfry.Room, id belfry.SocketID)
	DeleteRoom func(room belfry.Room)
}

// RoomsOptions configures a Rooms; the zero value is useful.
type RoomsOptions struct {
	// MaxPerMember bounds the rooms of one member, its own not counted.
	// 0 means no bound.
	MaxPerMember int
	// Hooks are called outside the lock, in the order of the changes.
	Hooks Hooks
	// Fanout runs Broadcast; its zero value is useful.
	Fanout Fanout
}

// Rooms knows who is in which room, for one namespace of one node. Safe for
// concurrent use.
type Rooms struct{ options RoomsOptions }

// Init sets the options, before any other method. The zero Rooms has the zero
// RoomsOptions.
func (r *Rooms) Init(o RoomsOptions) { r.options = o }

// Add makes m a member. Fails with ErrDuplicateID.
func (r *Rooms) Add(m Member) (Slot, error) { return 0, nil }

// Remove takes the member out and returns the rooms it was in, its own not
// among them.
func (r *Rooms) Remove(s Slot) []belfry.Room { return nil }

// Join puts the member into the room. joined is false if it is there already;
// created reports whether it is the first. Fails with ErrNoMember and
// ErrTooManyRooms.
func (r *Rooms) Join(s Slot, room belfry.Room) (joined, created bool, err error) {
	return false, false, nil
}

// Leave takes the member out of the room. deleted reports whether it was the
// last.
func (r *Rooms) Leave(s Slot, room belfry.Room) (left, deleted bool) { return false, false }

// RoomsOf returns the rooms of the member, its own not among them.
func (r *Rooms) RoomsOf(s Slot) []belfry.Room { return nil }

// Has reports whether the member is in the room.
func (r *Rooms) Has(s Slot, room belfry.Room) bool { return false }

// Len returns the number of members.
func (r *Rooms) Len() int { return 0 }

// Count returns the number of members of the room.
func (r *Rooms) Count(room belfry.Room) int { return 0 }

// Names returns the rooms that members joined; own-id rooms are not among them.
func (r *Rooms) Names() []belfry.Room { return nil }

// Lookup returns the member with this id.
func (r *Rooms) Lookup(id belfry.SocketID) (Member, bool) { return nil, false }

// Select appends the members that t selects to dst, each once.
func (r *Rooms) Select(dst []Member, t belfry.Target) []Member { return dst }

// Broadcast calls f for every member that t selects and returns how many they
// were. See Fanout.Each.
func (r *Rooms) Broadcast(t belfry.Target, f func(Member)) int { return 0 }
