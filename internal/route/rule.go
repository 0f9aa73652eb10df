package route

import (
	"fmt"
	"slices"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/socketio/packet"
)

// Rule says where messages to rooms of the namespace / go besides, whoever publishes
// them: clients, backends, sources, routes. For each room of a message the first rule
// that fits counts. Messages to users, to everybody, and those that are ephemeral, go
// nowhere else.
type Rule struct {
	// Rooms are names, or patterns: * is any text. Required.
	Rooms []string
	// Events are names of events, or patterns. Default: all.
	Events []string
	// Topic of Kafka and Queue are what the messages are appended to.
	Topic, Queue string
	// Archive keeps them, as the past of the room.
	Archive bool
	// Key is the template of what orders them in Topic and Queue. Default "{room}".
	Key string
	// Skip keeps them nowhere: for what a rule after this one would take.
	Skip bool
}

// defaultKey has the messages of a room in order.
const defaultKey = "{room}"

// appends reports whether the messages are kept for others, with a key.
func (r Rule) appends() bool { return r.Topic != "" || r.Queue != "" }

// keeping is a rule, ready to run.
type keeping struct {
	rule    Rule
	order   int
	key     *template
	targets []target
}

// fits reports whether the rule is for the event of m.
func (k *keeping) fits(m *belfry.Message) bool {
	if len(k.rule.Events) == 0 {
		return true
	}
	name, err := packet.EventName(m.Data)
	return err == nil && slices.ContainsFunc(k.rule.Events, func(p string) bool { return fits(p, string(name)) })
}

// ledger finds rules. The zero value has none.
type ledger struct {
	exact    map[belfry.Room][]*keeping // in their order
	patterns []roomPattern              // in the order of the rules
}

type roomPattern struct {
	text string
	*keeping
}

func (l *ledger) add(k *keeping) {
	for _, room := range k.rule.Rooms {
		if isPattern(room) {
			l.patterns = append(l.patterns, roomPattern{room, k})
			continue
		}
		if l.exact == nil {
			l.exact = make(map[belfry.Room][]*keeping)
		}
		l.exact[belfry.Room(room)] = append(l.exact[belfry.Room(room)], k)
	}
}

// match returns the rule for m in one of its rooms, nil if nothing is kept of it there.
func (l *ledger) match(room belfry.Room, m *belfry.Message) *keeping {
	var found *keeping
	for _, k := range l.exact[room] {
		if k.fits(m) {
			found = k
			break
		}
	}
	for _, p := range l.patterns {
		if found != nil && found.order <= p.order {
			break
		}
		if fits(p.text, string(room)) && !hub.Reserved(room) && p.fits(m) {
			found = p.keeping
			break
		}
	}
	if found == nil || found.rule.Skip {
		return nil
	}
	return found
}

func (f *faults) rule(at string, r Rule, before []Rule, o Options) *keeping {
	if len(r.Rooms) == 0 {
		f.add(at+".Rooms", "is empty: give names of rooms, or patterns")
	}
	for i, room := range r.Rooms {
		if err := roomFault(room); err != nil {
			f.add(fmt.Sprintf("%s.Rooms[%d]", at, i), "is %q: %v", room, err)
		}
		f.uncovered(fmt.Sprintf("%s.Rooms[%d]", at, i), room, before)
	}
	for i, event := range r.Events {
		if event == "" || len(event) > maxName {
			f.add(fmt.Sprintf("%s.Events[%d]", at, i), "is %q: must have 1 to %d bytes", event, maxName)
		}
	}
	f.known(at+".Queue", r.Queue, "queue", o.Queues)
	switch keeps := r.appends() || r.Archive; {
	case !keeps && !r.Skip:
		f.add(at, "goes nowhere: give a topic, a queue or the archive; or skip")
	case keeps && r.Skip:
		f.add(at+".Skip", "is true: must be false with a topic, a queue or the archive")
	}
	if r.Key != "" && !r.appends() {
		f.add(at+".Key", "is %q: only a topic and a queue have keys", r.Key)
	}
	if r.Key == "" {
		r.Key = defaultKey
	}
	return &keeping{rule: r, key: f.template(at+".Key", r.Key, ruleRoots)}
}

// uncovered finds rooms that a rule never gets, since one before it takes all.
func (f *faults) uncovered(at, room string, before []Rule) {
	for _, b := range before {
		if len(b.Events) > 0 {
			continue
		}
		if i := slices.IndexFunc(b.Rooms, func(p string) bool { return covers(p, room) }); i >= 0 {
			f.add(at, "is %q: an earlier rule, for %q, takes all its messages: put this one before it", room, b.Rooms[i])
			return
		}
	}
}
