package redis

import (
	"cmp"
	"context"
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

	ordered bool // it is of a batch that goes in its order, in one call
	behind  int  // how many of the batch come after it

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

// compare brings together what goes to one channel, behind what must keep its order.
func (c *commit) compare(d *commit) int {
	if c.ordered || d.ordered {
		return cmp.Compare(flag(d.ordered), flag(c.ordered))
	}
	if c.p.sequenced != d.p.sequenced {
		if c.p.sequenced {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(c.p.channel, d.p.channel), cmp.Compare(flag(c.named()), flag(d.named())))
}

// named reports whether its message has an ID.
func (c *commit) named() bool { return c.p.message.ID != "" }

// Bounds of the messages of one call: it should not hold Redis up.
const (
	commitMessages = 64
	commitBytes    = 256 << 10
)

// commits publishes. A message goes at once if no call is under way; those that come
// meanwhile go together with the next. Two that wait at the same time have no order,
// since the publisher of each waits for it, unless they are of one batch.
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
	if err := s.doAll(ctx, []*commit{c}); err != nil {
		return 0, err
	}
	return c.generation, c.err
}

// doAll runs commits that go in one call, one or an ordered batch. They have their
// outcome when it returns nil.
func (s *commits) doAll(ctx context.Context, all []*commit) error {
	s.mu.Lock()
	s.waiting = append(s.waiting, all...)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default: // it will look again
	}
	select {
	case <-all[len(all)-1].done: // the others are before it
		return nil
	case <-ctx.Done():
		s.withdraw(all)
		return ctx.Err()
	case <-s.link.ctx.Done():
		return belfry.ErrClosed
	}
}

// withdraw takes out what nobody waits for, unless it is under way.
func (s *commits) withdraw(all []*commit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.waiting, all[0])
	if i >= 0 {
		s.waiting = slices.Delete(s.waiting, i, i+len(all))
	}
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

// take returns what goes with the next call. A batch is not taken apart.
func (s *commits) take() []*commit {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, size := 0, 0
	for n < len(s.waiting) {
		end := n + 1 + s.waiting[n].behind
		for _, c := range s.waiting[n:end] {
			size += len(c.body)
		}
		if n > 0 && (end > commitMessages || size > commitBytes) {
			break
		}
		n = end
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
	n, runs := l.bus.names, runsOf(batch)
	r, err := l.runIn(l.ctx, in, in.scripts.publish,
		[]string{n.lease(l.id), n.seq(), n.log(), n.owners()}, s.arguments(in, generation, runs)...)
	var answers []rueidis.RedisMessage
	if err == nil {
		answers, err = r.ToArray()
	}
	if err == nil && len(answers) != 2*len(runs) {
		err = errPush
	}
	if err != nil && inTheAir(err) {
		s.turnAway(err)
	}
	for _, c := range batch {
		c.in, c.generation, c.err = in, generation, err
	}
	for i, r := range runs {
		if err == nil {
			r.answer(&answers[2*i], &answers[2*i+1])
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
