package redis

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry"
)

// commit is one attempt to publish a message.
type commit struct {
	p    *publication
	body []byte
	done chan struct{} // closed when the fields below are set

	err        error
	generation uint64 // of the lease under which it was sent; 0: it was not
	in         *incarnation
	seq        uint64        // 0: it has no number
	owner      belfry.NodeID // the node that the room is a socket of
	before     *accepted     // the message with its id that was accepted before
}

func newCommit(p *publication, body []byte) *commit {
	return &commit{p: p, body: body, done: make(chan struct{})}
}

// compare brings together what goes to one channel.
func (c *commit) compare(d *commit) int {
	if c.p.sequenced != d.p.sequenced {
		if c.p.sequenced {
			return -1
		}
		return 1
	}
	return cmp.Compare(c.p.channel, d.p.channel)
}

// Bounds of the messages of one call: it should not hold Redis up.
const (
	commitMessages = 64
	commitBytes    = 256 << 10
)

// commits publishes. A message goes at once if no call is under way; those that come
// meanwhile go together with the next. Two that wait at the same time have no order,
// since the publisher of each waits for it.
type commits struct {
	link *link
	wake chan struct{}

	last atomic.Pointer[acceptance] // nil: none

	mu      sync.Mutex
	waiting []*commit
}

// acceptance is the last message with a number that Redis has accepted from this node.
type acceptance struct {
	place
	count uint64 // this node's number of it
}

func (s *commits) init(l *link) {
	s.link = l
	s.wake = make(chan struct{}, 1)
}

// do runs c, and returns the lease under which it was sent, 0 if that is not known or
// it was not, and its error. When ctx ends, c may have been accepted, or still be.
func (s *commits) do(ctx context.Context, c *commit) (generation uint64, err error) {
	s.mu.Lock()
	s.waiting = append(s.waiting, c)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default: // it will look again
	}
	select {
	case <-c.done:
		return c.generation, c.err
	case <-ctx.Done():
		s.withdraw(c)
		return 0, ctx.Err()
	case <-s.link.ctx.Done():
		return 0, belfry.ErrClosed
	}
}

// withdraw takes out what nobody waits for, unless it is under way.
func (s *commits) withdraw(c *commit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = slices.DeleteFunc(s.waiting, func(x *commit) bool { return x == c })
}

// run ends when the link is closed.
func (s *commits) run() {
	for {
		select {
		case <-s.wake:
		case <-s.link.ctx.Done():
			return
		}
		for {
			runtime.Gosched() // those that are about to publish come along
			batch := s.take()
			if len(batch) == 0 {
				break
			}
			s.call(batch)
		}
	}
}

// take returns what goes with the next call.
func (s *commits) take() []*commit {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, size := 0, 0
	for ; n < min(len(s.waiting), commitMessages); n++ {
		size += len(s.waiting[n].body)
		if n > 0 && size > commitBytes {
			break
		}
	}
	batch := slices.Clone(s.waiting[:n])
	s.waiting = slices.Delete(s.waiting, 0, n)
	return batch
}

// call runs the script for a batch.
func (s *commits) call(batch []*commit) {
	slices.SortStableFunc(batch, (*commit).compare)
	l := s.link
	in, generation := l.incarnation.Load(), l.token()
	n := l.bus.names
	r, err := l.runIn(l.ctx, in, in.scripts.publish,
		[]string{n.lease(l.id), n.seq(), n.log(), n.owners(), n.nodes()}, s.arguments(in, generation, batch)...)
	var answers []rueidis.RedisMessage
	if err == nil {
		answers, err = r.ToArray()
	}
	if err == nil && len(answers) != 2*len(batch) {
		err = errPush
	}
	if err != nil && inTheAir(err) {
		s.turnAway(err)
	}
	for i, c := range batch {
		c.in, c.generation, c.err = in, generation, err
		if err == nil {
			c.err = c.answer(&answers[2*i], &answers[2*i+1])
		}
	}
	s.note(in, batch)
	for _, c := range batch {
		close(c.done)
	}
}

// note remembers the last that was accepted: should Redis lose it, this node can tell.
func (s *commits) note(in *incarnation, batch []*commit) {
	var last *commit
	for _, c := range batch {
		if c.err == nil && c.before == nil && c.seq != 0 && (last == nil || c.seq > last.seq) {
			last = c
		}
	}
	if last == nil {
		return
	}
	a := acceptance{place{in.counter, last.seq}, last.p.count}
	s.last.Store(&a)
	if s.link.incarnation.Load() != in { // the feed may have looked already
		s.link.tasks.Go(func() { s.link.report(a) })
	}
}

// turnAway ends what waits, since Redis is away: each knows best what to do then.
func (s *commits) turnAway(err error) {
	s.mu.Lock()
	waiting := s.waiting
	s.waiting = nil
	s.mu.Unlock()
	for _, c := range waiting {
		c.err = fmt.Errorf("%w: %w", errUnsent, err)
		close(c.done)
	}
}

// arguments are those of publish.lua.
func (s *commits) arguments(in *incarnation, generation uint64, batch []*commit) []string {
	l, o := s.link, s.link.bus.opts
	args := make([]string, 0, 6+3*len(batch))
	args = append(args, l.tokenText(generation), l.bus.names.base, strconv.Itoa(o.Log.MaxMessages), millis(o.Log.MaxAge),
		in.name(), millis(o.IDs.Window))
	for _, c := range batch {
		m := c.p.message
		args = append(args, c.p.channel, flags4(c.p.sequenced, mayBeSocket(m), replayed(m), m.ID != ""), rueidis.BinaryString(c.body))
		if m.ID != "" {
			args = append(args, placeKey(belfry.Place{Namespace: m.Namespace, Room: belfry.Room(m.ID)}), c.p.mark(l.lease.run))
		}
	}
	return args
}

func flags4(flags ...bool) string {
	text := make([]byte, 0, 4)
	for _, f := range flags {
		text = append(text, flag(f)...)
	}
	return string(text)
}

// answer reads what the script says of this message.
func (c *commit) answer(number, text *rueidis.RedisMessage) error {
	n, err := number.AsInt64()
	words, err2 := text.ToString()
	switch {
	case err != nil || err2 != nil:
		return errors.Join(errPush, err, err2)
	case n >= 0:
		c.seq, c.owner = uint64(n), belfry.NodeID(words)
		return nil
	}
	c.before, err = parseAccepted(words)
	if err == nil {
		c.seq = c.before.seq
	}
	return err
}

// accepted is what Redis remembers of a message with an id.
type accepted struct {
	seq    uint64
	offset belfry.Offset
	mark   string // of the publication
}

func parseAccepted(text string) (*accepted, error) {
	words := strings.Split(text, " ")
	if len(words) != 3 {
		return nil, errPush
	}
	seq, err := strconv.ParseUint(words[0], 10, 64)
	if err != nil {
		return nil, errPush
	}
	return &accepted{seq, belfry.Offset(words[1]), words[2]}, nil
}

// of reports whether it was an earlier attempt to publish p.
func (a *accepted) of(p *publication, run string) bool { return a.mark == p.mark(run) }

// mark names a publication in the cluster.
func (p *publication) mark(run string) string { return run + "." + strconv.FormatUint(p.count, 10) }
