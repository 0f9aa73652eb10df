package kafka

import "github.com/twmb/franz-go/pkg/kgo"

// progress knows up to where all records of a partition are done, though lanes end
// them in any order. Its zero value has none.
type progress struct {
	first uint64 // the seq of open[0]
	open  []step // in the order of the log
	next  step   // what may be committed, if ready
	ready bool
}

type step struct {
	offset int64 // of the record; in next: after it
	time   int64 // of the record, Unix milliseconds
	epoch  int32
	done   bool
}

// begin adds the next record of the log and returns its number.
func (p *progress) begin(rec *kgo.Record) (seq uint64) {
	p.open = append(p.open, step{offset: rec.Offset, time: rec.Timestamp.UnixMilli(), epoch: rec.LeaderEpoch})
	return p.first + uint64(len(p.open)) - 1
}

// end says that a record is done, once for each.
func (p *progress) end(seq uint64) {
	p.open[seq-p.first].done = true
	n := 0
	for n < len(p.open) && p.open[n].done {
		n++
	}
	if n == 0 {
		return
	}
	last := p.open[n-1]
	p.next, p.ready = step{offset: last.offset + 1, epoch: last.epoch}, true
	p.first += uint64(n)
	if p.open = p.open[n:]; len(p.open) == 0 {
		p.open = nil
	}
}
