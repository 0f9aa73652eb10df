// Package memory is the bus of nodes that live in one process: of a server that
// is alone, and of tests with several.
//
// Publish runs the Deliver of every attached node in the publisher's goroutine,
// one node after the other, and returns when all have returned. There is no
// queue, so nothing is lost and nobody is slow but a node that breaks its
// contract and blocks.
//
// # Order
//
// A message belongs to the rooms of its target; one without rooms belongs to a
// room of its own kind, the whole namespace. (Target.Except orders nothing.)
// Messages with a room in common are delivered one after the other. For that a
// publisher holds the turn of each of its rooms from before the first delivery
// until after the last. Rooms share 64 turns by hash; a publisher takes those
// it needs in ascending order, so that two publishers never wait for each
// other. Sharing a turn costs time at worst, never order.
//
// With a log, a message that is logged also takes the log's turn, always as the
// last, enters the log, and holds the turn until all nodes have it. So
//
//   - logged messages are delivered one after the other, in the order of the
//     log: whoever has seen an offset has seen everything before it;
//   - a logged and an unlogged message of the same room keep their order,
//     because both hold the turn of that room;
//   - there is still one order in which turns are taken, so no deadlock.
//
// A logged message that waits for the log holds up its own rooms meanwhile, also
// for unlogged ones. It has to: they come after it.
//
// Deliver must not publish: it would wait for the turn that its own caller
// holds, until its context ends. Package bustest has a Guard that finds this.
package memory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-09a96375/belfry"
)

// Options configures a Bus. The zero value keeps no log.
type Options struct {
	// Log, if not nil, keeps messages and sessions for clients that come back:
	// links then implement belfry.Log and belfry.Sessions.
	Log *Log
	// IDs bounds what is remembered of messages with an ID.
	IDs IDs
}

// Log bounds what is kept. Of messages, the oldest go as soon as one of the
// bounds is passed; a message larger than MaxBytes goes at once, and all before it.
// The zero value means the defaults.
type Log struct {
	// MaxMessages bounds the number of messages. Default 10,000.
	MaxMessages int
	// MaxBytes bounds what the messages take in memory, about. Default 64 MiB.
	MaxBytes int
	// MaxAge bounds the time since the publication. Default 4 minutes: the two
	// that Socket.IO gives clients to come back, and what they may have missed
	// before anybody noticed. What is too old is dropped when the log is next used.
	MaxAge time.Duration
	// MaxSessions bounds the number of sessions; one more drops the one that
	// would expire first. Default 100,000.
	MaxSessions int
}

func (l Log) withDefaults() Log {
	if l.MaxMessages == 0 {
		l.MaxMessages = 10_000
	}
	if l.MaxBytes == 0 {
		l.MaxBytes = 64 << 20
	}
	if l.MaxAge == 0 {
		l.MaxAge = 4 * time.Minute
	}
	if l.MaxSessions == 0 {
		l.MaxSessions = 100_000
	}
	return l
}

// Validate names the first option that cannot work.
func (o Options) Validate() error {
	switch {
	case o.IDs.Window < 0:
		return fmt.Errorf("memory: Options.IDs.Window is %v, must not be negative", o.IDs.Window)
	case o.IDs.Max < 0:
		return fmt.Errorf("memory: Options.IDs.Max is %d, must not be negative", o.IDs.Max)
	case o.Log == nil:
		return nil
	}
	switch l := o.Log; {
	case l.MaxMessages < 0:
		return fmt.Errorf("memory: Options.Log.MaxMessages is %d, must not be negative", l.MaxMessages)
	case l.MaxBytes < 0:
		return fmt.Errorf("memory: Options.Log.MaxBytes is %d, must not be negative", l.MaxBytes)
	case l.MaxAge < 0:
		return fmt.Errorf("memory: Options.Log.MaxAge is %v, must not be negative", l.MaxAge)
	case l.MaxSessions < 0:
		return fmt.Errorf("memory: Options.Log.MaxSessions is %d, must not be negative", l.MaxSessions)
	}
	return nil
}

// Bus implements belfry.Bus. It starts no goroutine and needs no Close. Safe for
// concurrent use.
type Bus struct {
	rooms    turns
	log      *messageLog // nil: nothing is logged
	sessions *sessions   // nil like log
	presence *presence
	ids      *ids

	addresses sync.Map // of belfry.NodeID: the URL that it announced

	mu    sync.Mutex              // serialises Attach and Close
	links atomic.Pointer[[]*link] // the attached; never changed in place
}

// New returns a bus without nodes. What it logs has nothing to do with what
// another Bus logged: offsets carry an epoch of their own.
func New(o Options) *Bus {
	b := &Bus{rooms: newTurns(), ids: newIDs(o.IDs.withDefaults())}
	b.presence = newPresence(b)
	if o.Log != nil {
		l := o.Log.withDefaults()
		b.log = newMessageLog(l)
		b.sessions = newSessions(l.MaxSessions)
	}
	b.links.Store(new([]*link))
	return b
}

// Attach implements belfry.Bus. It fails if a node of that id is attached.
func (b *Bus) Attach(ctx context.Context, n belfry.Node) (belfry.Link, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l := newLink(b, n)
	if l.id == "" {
		return nil, errors.New("memory: attach a node without an id")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.find(l.id) != nil {
		return nil, fmt.Errorf("memory: a node %q is attached already", l.id)
	}
	links := append(slices.Clone(*b.links.Load()), l)
	b.links.Store(&links)
	if b.log != nil {
		return &keepingLink{link: l}, nil
	}
	return l, nil
}

func (b *Bus) detach(l *link) {
	b.mu.Lock()
	defer b.mu.Unlock()
	links := slices.DeleteFunc(slices.Clone(*b.links.Load()), func(x *link) bool { return x == l })
	b.links.Store(&links)
}

// find returns the attached node of that id, nil if there is none.
func (b *Bus) find(id belfry.NodeID) *link {
	for _, l := range *b.links.Load() {
		if l.id == id {
			return l
		}
	}
	return nil
}

// publish takes the turns of m, then delivers it. See Order above.
func (b *Bus) publish(ctx context.Context, from *link, m *belfry.Message, own outlet) error {
	mine := b.rooms.of(m)
	if err := b.rooms.take(ctx, mine, own.part); err != nil {
		return err
	}
	defer b.rooms.give(mine)
	m.Origin, m.Offset = from.id, ""
	log := func() {}
	if b.log != nil && logged(m) {
		if err := b.log.turn.take(ctx, own.part); err != nil {
			return err
		}
		defer b.log.turn.give()
		log = func() { b.log.append(m) }
	}
	// From here on nothing fails: what is remembered is delivered.
	if err := b.ids.accept(m, log); err != nil {
		return err
	}
	b.deliver(from, m, own)
	return nil
}

// deliver hands m to the publisher's node first: whatever becomes of its link
// meanwhile, Publish has kept its word. It must read the links only now that it
// has the turns: a node whose Attach returned before Publish is then among them.
func (b *Bus) deliver(from *link, m *belfry.Message, own outlet) {
	if m.To != "" {
		b.deliverTo(from, m, own)
		return
	}
	own.Deliver(m) // Close of from waits for Publish, thus for this
	for _, l := range *b.links.Load() {
		if l != from {
			l.deliver(m)
		}
	}
}

func (b *Bus) deliverTo(from *link, m *belfry.Message, own outlet) {
	if m.To == from.id {
		own.Deliver(m)
	} else if l := b.find(m.To); l != nil {
		l.deliver(m)
	}
}

// logged reports whether m is for the log: what is worth repeating to a client
// that was away.
func logged(m *belfry.Message) bool {
	return m.Kind == belfry.Emit && !m.Volatile && !m.Unlogged && m.Request == 0 && m.To == ""
}
