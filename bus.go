package belfry

import (
	"context"
	"errors"
	"time"
)

// Bus connects nodes so that they act as one server.
type Bus interface {
	// Attach makes n a node of the cluster: from the return of Attach until
	// Link.Close every message that is published reaches n. The id of n must be
	// unique among the attached.
	Attach(ctx context.Context, n Node) (Link, error)
}

// Node is the receiving side of a node. The bus calls it from its own
// goroutines or from a publisher's. Methods must not block and must not call
// the Link: whoever answers a request does so from a goroutine of its own.
type Node interface {
	ID() NodeID
	// Deliver hands over a message. Messages with a room in common (their
	// Target.Rooms, for Join and Leave their Rooms, too; the whole namespace
	// counts as a room of its own) arrive one after the other, in the same order
	// on all nodes. If the bus keeps a log,
	// all logged messages arrive one after the other, in the order of the log.
	Deliver(m *Message)
	// Replied hands over an answer to a request of this node.
	Replied(r *Reply)
}

// Bundler is what a Node offers in addition when it can write to its clients together
// what comes at once. Found by assertion.
type Bundler interface {
	// Bundle begins one, for one goroutine. It is for messages that are all there
	// already: the bus must not wait for anything before End.
	Bundle() Bundle
}

// Bundle is several messages.
type Bundle interface {
	// Deliver is as Node.Deliver, but what is written to clients may wait for End.
	Deliver(m *Message)
	// End is owed. The Bundle must not be used any more.
	End()
}

// Link is the sending side. Safe for concurrent use.
type Link interface {
	// Publish sends m to all nodes, this one included. It returns nil once the
	// cluster has accepted the message and this node's own Deliver has run for
	// it: what a goroutine publishes or does next comes after it, also for
	// members on this node. It blocks no longer than ctx. ErrUnavailable says that
	// the message was not accepted: try again later. After ErrInDoubt, and after
	// the error of ctx, it may have been.
	// ErrDuplicate says that a message with its ID was accepted before: nothing
	// was published. To repeat a message with an ID is safe after every error.
	// Publish fills m.Origin and m.Offset, with ErrDuplicate the Offset of the
	// first; m must not be changed afterwards.
	Publish(ctx context.Context, m *Message) error
	// Reply sends an answer to the node that asked. A node that is gone is no
	// error. Blocks no longer than ctx.
	Reply(ctx context.Context, to NodeID, r *Reply) error
	// Peers returns the nodes that are alive, this one included: those who are
	// to answer a request that is published now.
	Peers(ctx context.Context) ([]NodeID, error)
	// Close leaves the cluster. No call of Node runs or begins after Close
	// returned.
	Close(ctx context.Context) error
}

// Batcher is what a Link offers in addition when many messages that are published
// together cost it little more than one. Found by assertion on the Link.
type Batcher interface {
	// PublishAll does for each of the messages what Publish does: nodes get them one
	// after the other, in this order. It returns how many of them, from the first on,
	// are accepted, now or, as ErrDuplicate says, before, and, unless these are all,
	// the error of Publish for the next. Those after that may have been accepted, too:
	// to repeat the rest is safe if all of it have IDs.
	PublishAll(ctx context.Context, messages []*Message) (accepted int, err error)
}

// Log is what a Bus offers in addition when it keeps messages for clients that
// come back. Found by assertion on the Link.
type Log interface {
	// Replay calls f for every logged message of the namespace after the given
	// offset, in log order, up to a position that is not before any message
	// delivered to this node before Replay was called. It returns ErrNoOffset if
	// the log no longer reaches back to it or does not know it, or if something
	// after it is known to be lost, before any call of f.
	Replay(ctx context.Context, namespace string, after Offset, f func(*Message) error) error
	// Position returns the offset after which everything published from now on
	// comes.
	Position(ctx context.Context) (Offset, error)
	// Before reports whether a comes before b in the log.
	Before(a, b Offset) bool
}

// Sessions is what a Bus offers in addition when it keeps the sessions of
// clients that may come back. Found by assertion on the Link.
//
// A session is held by the node that its client is on, from the connection on;
// it is kept, by nobody, while its client is away; it is taken by the node that
// its client comes back to, which holds it from then on.
type Sessions interface {
	// Hold stores the session of a client that is on this node: for as long as
	// the node lives, and for ttl after its death. held says that this node
	// holds it already: what it stored is replaced, or ErrNoSession tells that
	// another node has taken the session meanwhile.
	Hold(ctx context.Context, s *Session, ttl time.Duration, held bool) error
	// Keep stores the session of a client that has gone, for at least ttl. held
	// is as for Hold.
	Keep(ctx context.Context, s *Session, ttl time.Duration, held bool) error
	// Drop forgets a session that this node holds: its client does not come back.
	Drop(ctx context.Context, namespace string, id SessionID) error
	// Take makes this node the one that holds the session, and returns it: of
	// several callers exactly one gets it. ErrNoSession: unknown or expired. A
	// *HeldError: a node that seems to be alive holds it, this one or another. It
	// is taken even so if that node is silent: one that was asked for it, and
	// does not answer or knows nothing of it. That node learns it at its next
	// Hold or Keep. Who takes a session holds or keeps it with held, or drops it.
	Take(ctx context.Context, namespace string, id SessionID, silent NodeID) (*Session, error)
	// Confirm says how long it takes until a client that is still connected has
	// surely received a message: it has answered a ping that was sent after it.
	// From then on the bus raises the Since of what Take returns to what the last
	// owner had delivered that long before it let go of the session, or died: a
	// client that was quiet for longer than the log reaches back can still
	// recover. Until it is called nothing is raised. It does not block.
	Confirm(after time.Duration)
}

// HeldError says that a node holds the session.
type HeldError struct{ Owner NodeID }

func (e *HeldError) Error() string { return "session held by node " + string(e.Owner) }

// Session is what a client gets back when it returns in time.
type Session struct {
	ID        SessionID
	Socket    SocketID
	Namespace string
	// Since is the position from which on the client may have missed messages:
	// that at which the session began, or a later one that was confirmed.
	Since Offset
	Rooms []Membership // without the socket's own
	Data  []byte       // JSON of the socket's data, nil if none was set
}

// Membership is one room of a session, and the position at which it joined:
// what the room got before that is not replayed.
type Membership struct {
	Room  Room
	Since Offset
}

// Follower is what a Link offers in addition when it brings a node only the
// messages that may concern its members. Found by assertion; a node that finds
// it must use it. A message comes to this node if it has no or several rooms in
// its target, or wants answers, or its only room is followed or owned here. Other
// messages may come nevertheless. Messages that come are in the same order as on
// all nodes.
//
// Calls about the same room must not overlap: the caller orders them. All block
// no longer than ctx; none may be called from within Deliver. On an error the
// call may have taken effect, and can be repeated.
type Follower interface {
	// Follow brings what is published to the room from the return of Follow on:
	// call it before the first member joins. Following twice is following once.
	Follow(ctx context.Context, namespace string, room Room) error
	// Unfollow ends that. What is under way may still come.
	Unfollow(ctx context.Context, namespace string, room Room) error
	// Own is Follow for the room that a socket on this node is by itself. It
	// costs an entry in a directory in place of a subscription. A node that
	// dies owns nothing. A socket has one owner: the last that called Own.
	Own(ctx context.Context, namespace string, socket SocketID) error
	// Disown ends that, unless another node has called Own since.
	Disown(ctx context.Context, namespace string, socket SocketID) error
}

// LossWatcher is what a Node offers in addition when it wants to know of losses
// that the bus could not repair: Redis lost what it had accepted, or the log was
// trimmed before it could be read. Found by assertion on the Node.
type LossWatcher interface {
	// Lost says that messages are missing between the last Deliver of a logged
	// message and the next, or, when only another node knew of it, some messages
	// earlier. It is called like Deliver, in its order.
	Lost(reason error)
}

// Directory is what a Link offers in addition when it knows under which address
// the nodes reach each other. Found by assertion on the Link.
type Directory interface {
	// Announce says under which base URL other nodes reach this one, such as
	// http://10.0.0.3:8080. It holds until Close.
	Announce(ctx context.Context, url string) error
	// Addresses returns the URLs that the nodes that are alive have announced.
	Addresses(ctx context.Context) (map[NodeID]string, error)
}

// HealthReporter is what a Link offers in addition when it watches itself. Found
// by assertion on the Link.
type HealthReporter interface {
	// Health reports whether messages of this node reach the cluster and those
	// of the cluster this node, and if not, why. It does not block.
	Health() (ok bool, reasons []string)
}

// LinkCounter is what a Link offers in addition when it counts what it has to mend.
// Found by assertion on the Link.
type LinkCounter interface {
	Counts() LinkCounts
}

// LinkCounts is what a Link has counted since it was attached.
type LinkCounts struct {
	Repairs uint64 // times that the log was read because something was missing
	Losses  uint64 // of those, how often that could not be had
	Foreign uint64 // messages that were ignored: malformed, or of another version
}

var (
	// ErrUnavailable: the bus cannot be reached now; nothing was accepted. Try
	// again later.
	ErrUnavailable = errors.New("bus unavailable")
	// ErrInDoubt: the connection to the bus broke, and it is not known whether the
	// bus has accepted what was sent.
	ErrInDoubt = errors.New("bus unavailable, and not known whether it has accepted the message")
	// ErrDuplicate: a message, or an event, with that ID was accepted before.
	ErrDuplicate = errors.New("accepted before")
	// ErrClosed: the link was closed.
	ErrClosed = errors.New("link closed")
	// ErrNoOffset: the log does not reach back to this offset.
	ErrNoOffset = errors.New("offset not in the log")
	// ErrNoSession: no such session, or it expired, or another took it.
	ErrNoSession = errors.New("no such session")
)
