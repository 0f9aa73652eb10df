package belfry

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// Event is what a client has sent, on its way to a queue.
type Event struct {
	// ID tells repetitions from new events, cluster-wide. The client gives one, or
	// the node makes one. At most MaxID bytes.
	ID        string
	Namespace string
	Name      string
	// Args are the arguments, without the name: a JSON array. Binary arguments are
	// base64 texts in {"$binary":…}.
	Args   json.RawMessage
	Socket SocketID
	User   string // empty: not named
	// Key orders events: those with one key are handled one after the other, in the
	// order in which they were appended. Empty: no order.
	Key  string
	Node NodeID
	Time time.Time
	// Room and Offset are where the event was published as a message before, if it
	// was: for archives. Empty: it was not, or is not logged.
	Room   Room
	Offset Offset
	// Rooms are all rooms of that message, Room the first, if there are several.
	Rooms []Room
	// Reply says that the client waits for the answer of a backend.
	Reply bool
}

// Queue is where events of clients wait for backends: each event goes to one
// backend of each group. Safe for concurrent use.
type Queue interface {
	// Append stores e; it returns nil once e is as durable as the queue makes it.
	// ErrDuplicate: an event with that ID was appended before, within the window of
	// the queue; nothing was stored. ErrUnavailable: nothing was stored. After any
	// other error it may have been: to repeat it with the same ID is safe. It blocks
	// no longer than ctx.
	Append(ctx context.Context, e *Event) error
}

// Answer is what a backend says to an event: the arguments of the client's ack.
type Answer struct {
	Args json.RawMessage `json:"args,omitempty"` // a JSON array
	// Error, if not empty, is what went wrong, for the client. There are no Args
	// then.
	Error string `json:"error,omitempty"`
}

// Answers is what a Queue offers in addition when backends can answer. Found by
// assertion on the Queue.
type Answers interface {
	// Answer gives the answer to the event with that ID, once: ErrAnswered tells
	// that there is one already. Nobody needs to wait for it.
	Answer(ctx context.Context, id string, a *Answer) error
	// Await returns the answer to the event with that ID, on whichever node it was
	// appended and whenever it is or was given within the window of the queue. It
	// blocks no longer than ctx.
	Await(ctx context.Context, id string) (*Answer, error)
}

// ErrAnswered: the event was answered before.
var ErrAnswered = errors.New("answered before")
