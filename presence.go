package belfry

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// Place is a room of a namespace.
type Place struct {
	Namespace string
	Room      Room
}

// Present is a member of a room as all nodes know it.
type Present struct {
	ID       SocketID        `json:"id"`
	User     string          `json:"user"` // empty: not named
	Meta     json.RawMessage `json:"meta"` // JSON; nil: none
	JoinedAt time.Time       `json:"joinedAt"`
	Node     NodeID          `json:"node"` // where it is, or was before it lost its client
	// Version is that of the last event about the member. See Presence.
	Version uint64 `json:"version"`
}

// Stay is one socket's presence in one room, as one connection has it.
type Stay struct {
	Place
	Socket SocketID
	// Hold tells the connections apart that the socket has had on one node. The
	// last to enter has the stay: what an earlier one still says is ignored.
	Hold uint64
}

// Entrance says how a socket enters a room.
type Entrance struct {
	Kind EntranceKind
	User string
	Meta json.RawMessage // compact JSON; nil: none
	// Back is how long the socket may be away, after the death of its node, until
	// it counts as gone. 0: not at all.
	Back time.Duration
}

// EntranceKind is what Enter is about.
type EntranceKind uint8

const (
	// Arrive makes the socket present.
	Arrive EntranceKind = iota
	// Amend changes user and meta of a stay. ErrNotPresent if there is none.
	Amend
	// Return makes a socket present that was away, with the user, the meta and
	// the time that it had. If it is gone by now it arrives.
	Return
)

// Events about presence. Their Data are ["presence:join",Present],
// ["presence:update",Present] and ["presence:leave",{"id","user","version"}].
const (
	EventPresenceJoin   = "presence:join"
	EventPresenceUpdate = "presence:update"
	EventPresenceLeave  = "presence:leave"
)

// Presence is what a Link offers in addition when it knows who is in a room, on
// any node. Found by assertion on the Link.
//
// Each change is told to the room by a message, an Emit without Origin that is
// logged like others. Change and message are one step: either both happen or
// neither, and the messages of a room come in the order of its changes. A message
// says how a member is from now on, not what has changed, and carries a version;
// versions of a room grow. Who has a snapshot at some moment after it began to
// listen therefore knows all, if it leaves out what is not newer than what it has.
//
// A socket that is away is still present; nobody is told. If it does not return
// in time it leaves, told once, whatever nodes live then. The sockets of a node
// that dies, or is closed, are away from that moment on.
//
// All calls block no longer than ctx, and none may be called from within
// Deliver. Enter, Exit and Set return after this node's own Deliver of what they
// tell, if the node gets it and the bus brings it in time. On ErrUnavailable it
// is not known whether a call has taken effect; then it is safe to repeat it.
type Presence interface {
	// Enter makes a socket present, or changes how it is present: the room is
	// told by EventPresenceJoin, by EventPresenceUpdate if User or Meta have
	// changed, else not at all.
	Enter(ctx context.Context, s Stay, e Entrance) (Present, error)
	// Exit ends a stay, if the socket has not entered elsewhere meanwhile. With
	// away > 0 it is away for that long, else it leaves now.
	Exit(ctx context.Context, s Stay, away time.Duration) error
	// Members returns who is present, in no order.
	Members(ctx context.Context, at Place) ([]Present, error)
	// Count returns how many are present.
	Count(ctx context.Context, at Place) (int, error)
}

// Entry is one value of the state of a room.
type Entry struct {
	Key   string          `json:"key"`
	Value json.RawMessage `json:"value,omitempty"`
	// Owner, if not empty, is a member: the entry ends when it leaves.
	Owner   SocketID `json:"owner,omitempty"`
	Version uint64   `json:"version"`
}

// EventState is the event about an entry: ["state",Entry], or
// ["state",{"key","deleted":true,"version"}] when it has ended.
const EventState = "state"

// RoomState is what a Link with Presence offers in addition when it keeps a small
// state for each room: entries by key, which end when the last member of the room
// leaves. Changes are told to the room as those of Presence are; entries that end
// with their owner are told before it leaves, those that end with the room are
// not: nobody is there. Found by assertion on the Link.
type RoomState interface {
	// Set makes e the entry of its key if the version of the one that is there is
	// e.Version, 0 for none; of several callers with one version only one can
	// succeed. A Value of nil deletes the entry. It returns the entry with its new
	// version.
	//
	// A *ConflictError has the entry that is there instead. ErrEmptyRoom: nobody
	// is present. ErrNotPresent: the owner is not. ErrTooManyEntries: the room
	// would have more than limit entries. ErrUnavailable: it is not known whether
	// the entry was set.
	Set(ctx context.Context, at Place, e Entry, limit int) (Entry, error)
	// Entries returns all entries, in no order.
	Entries(ctx context.Context, at Place) ([]Entry, error)
}

// ConflictError says that an entry is not at the version that Set was told.
type ConflictError struct {
	Current Entry // Version 0: there is none
}

func (e *ConflictError) Error() string {
	return "state " + e.Current.Key + " has changed meanwhile"
}

// Unwrap makes it an ErrConflict.
func (e *ConflictError) Unwrap() error { return ErrConflict }

var (
	// ErrConflict: the entry is not at that version. See ConflictError.
	ErrConflict = errors.New("state has changed meanwhile")
	// ErrNotPresent: the socket is not present in the room.
	ErrNotPresent = errors.New("not present in the room")
	// ErrEmptyRoom: nobody is present in the room, so that it has no state.
	ErrEmptyRoom = errors.New("nobody is present in the room")
	// ErrTooManyEntries: the room has as many entries as it may.
	ErrTooManyEntries = errors.New("too many entries in the state of the room")
)
