// Package belfry holds the words that all parts of Belfry share: ids, the
// message, the seams. It imports the standard library only; codecs, hub, fronts
// and buses know it, it knows none of them.
package belfry

import "time"

type (
	// NodeID names one running node of a cluster; a restart makes a new one.
	NodeID string
	// Room names a group of members within a namespace. Any non-empty string
	// is a room; a member's own id is a room with that one member.
	Room string
	// SocketID names one member of a namespace, 20 characters, cluster-wide
	// unique. It is public: clients see the ids of others.
	SocketID string
	// SessionID is the private id with which a client takes its session over
	// after a reconnect. Whoever knows it owns the session: never log it.
	SessionID string
	// Offset is a position in the log of a bus, opaque to everyone but the bus
	// that made it. Empty means "not logged".
	Offset string
)

// Kind tells what a Message does to the members that it selects.
type Kind uint8

const (
	Emit           Kind = iota // deliver Data to the selected members
	Join                       // selected members join Rooms
	Leave                      // selected members leave Rooms
	Disconnect                 // selected members are disconnected from the namespace
	Fetch                      // every node answers with the selected members it holds
	ServerSideEmit             // deliver Data to the other nodes themselves
	AllRooms                   // every node answers with the rooms it holds
	Release                    // who has the session that Data names lets go of it, unless its client is there
)

// Target selects members of a namespace: the union of the members of Rooms (no
// room selects the whole namespace), less the members of any room in Except,
// each member once. Unknown rooms have no members.
type Target struct {
	Rooms  []Room
	Except []Room
}

// Message travels over a bus to every node that may hold members it selects.
// It is immutable once published and shared by all its receivers.
type Message struct {
	Kind      Kind
	Namespace string // "/" or "/name"
	Target    Target
	// Data is a JSON array, event name first: ["chat",{"text":"hi"}]. Valid
	// JSON, compact or not. Binary arguments are placeholders,
	// {"_placeholder":true,"num":i}, for Attachments[i].
	Data        []byte
	Attachments [][]byte
	// Rooms are the rooms that Join and Leave are about.
	Rooms []Room
	// CloseTransport, with Disconnect, ends the whole connection, not only the
	// namespace.
	CloseTransport bool
	// Volatile messages are dropped where they cannot be written at once, and
	// are never logged.
	Volatile bool
	// NoCompress asks the fronts not to compress this message.
	NoCompress bool
	// Unlogged keeps a message that is not volatile out of the log: whoever is
	// away misses it. Messages that want acks are always unlogged.
	Unlogged bool
	// Request is not zero when answers are wanted; they come back by Link.Reply
	// to Origin.
	Request RequestID
	// Timeout bounds the wait for answers.
	Timeout time.Duration
	// To is the only node that gets the message; empty: all. Such a message is
	// never logged. A node that is gone is no error.
	To NodeID
	// ID makes publishing idempotent: of several messages of a namespace with one
	// ID, within the window of the bus, the first is published, the others are
	// ErrDuplicate. At most MaxID bytes. Empty: no such check. It is not sent to
	// other nodes.
	ID string

	// Origin is the node that published; set by the bus.
	Origin NodeID
	// Offset is the position in the log; set by the bus if it logged.
	Offset Offset
}

// MaxID is the longest ID of a Message or an Event, bytes.
const MaxID = 128

// RequestID numbers the requests of one node, from 1.
type RequestID uint64

// Reply answers a Message with a Request.
type Reply struct {
	Request RequestID
	From    NodeID
	// Body is JSON; its form depends on the Kind that is answered.
	Body        []byte
	Attachments [][]byte
	Err         string // not empty: the node could not answer, and why
}
