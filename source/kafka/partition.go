package kafka

import (
	"context"
	"hash/maphash"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// partition is one that this member has.
type partition struct {
	run *run
	at  place
	id  string            // what ids of its records begin with
	tag map[string]string // Record.Meta of records without headers

	ctx     context.Context // of handlers
	cancel  context.CancelFunc
	stopped chan struct{} // closed: no handler is called any more
	once    sync.Once
	workers sync.WaitGroup
	seed    maphash.Seed

	mu       sync.Mutex
	lanes    []lane
	progress progress
	records  int // that are not done
	bytes    int // of these
	paused   bool
	end      int64  // of the log, as of the last fetch
	fault    string // why the record that a lane is at is not done; empty: it is the first try
}

// lane is a queue of records that are handled one after the other.
type lane struct {
	waiting []item
	wake    chan struct{} // has room for one
}

type item struct {
	*kgo.Record
	seq uint64 // its place in progress
}

func newPartition(r *run, at place) *partition {
	p := &partition{
		run: r, at: at, id: idPrefix(at), tag: meta(at, nil),
		stopped: make(chan struct{}), seed: maphash.MakeSeed(), lanes: make([]lane, r.o.Lanes),
	}
	p.ctx, p.cancel = context.WithCancel(r.base)
	for i := range p.lanes {
		l := &p.lanes[i]
		l.wake = make(chan struct{}, 1)
		p.workers.Go(func() { p.work(l) })
	}
	return p
}

// add queues what was fetched, in the order of the log. It reports whether that is
// enough for now.
func (p *partition) add(records []*kgo.Record, end int64) (full bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.end = max(p.end, end)
	for _, rec := range records {
		seq := p.progress.begin(rec)
		l := &p.lanes[p.lane(rec, seq)]
		l.waiting = append(l.waiting, item{rec, seq})
		p.records++
		p.bytes += size(rec)
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
	return p.full()
}

func (p *partition) lane(rec *kgo.Record, seq uint64) uint64 {
	n := uint64(len(p.lanes))
	switch {
	case n == 1:
		return 0
	case rec.Key == nil:
		return seq % n
	}
	return maphash.Bytes(p.seed, rec.Key) % n
}

// full reports whether enough waits. p.mu is held.
func (p *partition) full() bool {
	return p.records >= p.run.o.MaxRecords || p.bytes >= p.run.o.MaxBytes
}

// next waits for records of a lane and returns the first of them, as many as a
// batch may have. It returns none once the partition is given up.
func (p *partition) next(l *lane) []item {
	for !p.over() {
		if batch := p.cut(l); len(batch) > 0 {
			return batch
		}
		select {
		case <-l.wake:
		case <-p.stopped:
		case <-p.run.ended:
		}
	}
	return nil
}

// over reports whether no handler may be called any more.
func (p *partition) over() bool {
	select {
	case <-p.stopped:
		return true
	case <-p.run.ended:
		return true
	default:
		return false
	}
}

func (p *partition) cut(l *lane) []item {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, bytes, most := 0, 0, p.run.most
	for n < len(l.waiting) && n < most.Records {
		bytes += len(l.waiting[n].Key) + len(l.waiting[n].Value)
		if n > 0 && most.Bytes > 0 && bytes > most.Bytes {
			break
		}
		n++
	}
	batch := l.waiting[:n:n]
	if l.waiting = l.waiting[n:]; len(l.waiting) == 0 {
		l.waiting = nil
	}
	return batch
}

// done says that records need no more handling.
func (p *partition) done(batch []item) {
	p.mu.Lock()
	defer p.mu.Unlock()
	full := p.full()
	for i := range batch {
		p.progress.end(batch[i].seq)
		p.bytes -= size(batch[i].Record)
		batch[i].Record = nil // others of the batch may stay for long
	}
	p.records -= len(batch)
	p.fault = ""
	if full && !p.full() {
		p.run.freed()
	}
	if p.paused && p.records <= p.run.o.MaxRecords/2 && p.bytes <= p.run.o.MaxBytes/2 {
		p.resume()
	}
}

// stop makes lanes take no more records.
func (p *partition) stop() {
	p.once.Do(func() {
		close(p.stopped)
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.paused { // the driver would keep that for whoever has the partition next
			p.resume()
		}
	})
}

// size is what a record takes, about.
func size(rec *kgo.Record) int {
	n := len(rec.Key) + len(rec.Value) + 200
	for i := range rec.Headers {
		n += len(rec.Headers[i].Key) + len(rec.Headers[i].Value) + 40
	}
	return n
}
