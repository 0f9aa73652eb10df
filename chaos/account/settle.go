package account

import "github.com/seed-09a96375/belfry/internal/bench/check"

// Book collects what happened to the clients. Safe for one goroutine.
type Book struct {
	plan    Plan
	sent    Sent
	report  Report
	clients []client
	away    []int64 // how long clients were, in milliseconds
}

type client struct {
	sessions  []*session
	connected bool
	heard     bool        // it had received something when it was last cut off
	dropped   int64       // when it was last cut off
	got       map[id]bool // in any session
}

type id struct{ stream, number int }

// session is the time in which a client has one account: until it is told that
// it was not recovered.
type session struct {
	id      string
	joined  int64 // 0: not yet
	streams map[int]*stream
	rooms   map[int][]id // in the order of arrival, each once
}

type stream struct {
	seen check.Stream
	got  map[int]bool
	last int // highest number that came
}

// NewBook begins an account.
func NewBook(p Plan, s Sent) *Book {
	b := &Book{plan: p, sent: s, clients: make([]client, len(p.Members))}
	for i := range b.clients {
		b.clients[i].got = make(map[id]bool)
	}
	b.report.Accepted, b.report.Maybe, b.report.Refused = s.Count(Accepted), s.Count(Maybe), s.Count(Refused)
	return b
}

// Enter takes the next event of the log.
func (b *Book) Enter(e Event) {
	if e.Client >= len(b.clients) {
		b.report.example(&b.report.Odd, "client %d: not in the plan", e.Client)
		return
	}
	c := &b.clients[e.Client]
	switch e.Kind {
	case Connected:
		b.connect(c, e)
	case Joined:
		if s := c.session(); s != nil {
			s.joined = e.Time
		}
	case Disconnected:
		// The client says it again when an attempt to come back fails halfway.
		if c.connected {
			b.report.Drops++
			c.dropped = e.Time
		}
		c.connected, c.heard = false, len(c.got) > 0
	case Received:
		b.receive(c, e)
	case Denied:
		b.report.example(&b.report.Denied, "client %d: denied: %s", e.Client, e.Text)
	case Odd:
		b.report.example(&b.report.Odd, "client %d: %s", e.Client, e.Text)
	}
}

func (c *client) session() *session {
	if len(c.sessions) == 0 {
		return nil
	}
	return c.sessions[len(c.sessions)-1]
}

func (b *Book) connect(c *client, e Event) {
	c.connected = true
	old := c.session()
	if old != nil {
		b.away = append(b.away, e.Time-c.dropped)
	}
	switch {
	case !e.Recovered:
		if old != nil {
			b.report.NotRecovered++
		}
		c.sessions = append(c.sessions, &session{id: e.Text, streams: map[int]*stream{}, rooms: map[int][]id{}})
	case old == nil || old.id != e.Text:
		b.report.example(&b.report.NewIdentity, "client %d: recovered with another id", e.Client)
		fallthrough
	default:
		b.report.Recovered++
		if !c.heard {
			b.report.Unheard++
		}
	}
}

func (b *Book) receive(c *client, e Event) {
	m := id{e.Stream, e.Number}
	s := c.session()
	if !b.meantFor(e) || s == nil {
		b.report.example(&b.report.Misrouted, "client %d: got %d of stream %d", e.Client, e.Number, e.Stream)
		return
	}
	st := s.streams[e.Stream]
	if st == nil {
		st = &stream{got: map[int]bool{}}
		s.streams[e.Stream] = st
	}
	c.got[m] = true
	switch st.seen.Add(uint32(e.Number)) {
	case check.Duplicate:
		b.report.example(&b.report.Duplicated, "client %d: %d of stream %d came again", e.Client, e.Number, e.Stream)
		return
	case check.Late:
		if b.sent[e.Stream][e.Number].Outcome == Accepted {
			b.report.example(&b.report.Reordered, "client %d: %d of stream %d came after %d", e.Client, e.Number, e.Stream, st.last)
		}
	case check.Fresh:
		st.last = e.Number
	}
	st.got[e.Number] = true
	room := b.plan.Streams[e.Stream]
	s.rooms[room] = append(s.rooms[room], m)
}

// meantFor reports whether the client may get the message.
func (b *Book) meantFor(e Event) bool {
	return e.Stream < len(b.plan.Streams) && b.plan.isMember(e.Client, b.plan.Streams[e.Stream]) &&
		e.Number < len(b.sent[e.Stream]) && b.sent[e.Stream][e.Number].Outcome != Refused
}

// Settle closes the book.
func (b *Book) Settle() Report {
	for n := range b.clients {
		c := &b.clients[n]
		if s := c.session(); !c.connected || s.joined == 0 {
			b.report.example(&b.report.Absent, "client %d: not there in the end", n)
		}
		for st, room := range b.plan.Streams {
			if b.plan.isMember(n, room) {
				b.settle(c, n, st)
			}
		}
	}
	b.agree()
	b.report.Away = timesOf(b.away)
	return b.report
}

// settle counts what a client got and missed of one stream.
func (b *Book) settle(c *client, n, st int) {
	for number, m := range b.sent[st] {
		if m.Outcome != Accepted {
			continue
		}
		b.report.Expected++
		switch lost := c.lost(st, number, m); {
		case lost:
			b.report.example(&b.report.Lost, "client %d: lost %d of stream %d", n, number, st)
		case c.got[id{st, number}]:
			b.report.Received++
		default:
			b.report.Told++
		}
	}
}

// lost reports whether a session of the client had to have the message and has
// not. It had to if it was in the room before the message was published, and, if
// the client was told of its end, got a later one of the stream.
func (c *client) lost(st, number int, m Message) bool {
	for i, s := range c.sessions {
		got := s.streams[st]
		if got != nil && got.got[number] || s.joined == 0 || m.Begun <= s.joined {
			continue
		}
		isLast := i == len(c.sessions)-1
		if isLast || got != nil && number < got.last {
			return true
		}
	}
	return len(c.sessions) == 0
}
