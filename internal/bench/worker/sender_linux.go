package worker

import (
	"math"
	"time"

	"github.com/seed-09a96375/belfry/internal/bench/dialect"
	"github.com/seed-09a96375/belfry/internal/bench/stamp"
)

// sender sends the messages of this worker's sources: by a schedule, or as fast
// as earlier ones arrive.
type sender struct {
	*loop
	sources []source
	first   int // the number of sources[0] among all sources
	running bool
	window  int   // 0: by schedule
	start   int64 // of the schedule
	round   int   // of the schedule: each source sends once a round
	turn    int   // the source whose turn it is in this round
	payload []byte
	total   uint64
	since   uint64 // of total, before the present mark
	behind  int64
	stalls  uint64
	checked int64 // when revive last looked
}

// source is a client that sends.
type source struct {
	client  int    // of this worker
	members uint32 // clients of this worker that get its messages
	seq     uint32 // of the next message
	landed  uint32 // arrivals that do not make a whole message yet
	done    uint32 // messages that arrived at all members of this worker
	granted uint32 // messages that were answered, with HTTP
	moved   int64  // when done last grew
}

func (s *sender) prepare() {
	plan := s.set.Plan
	s.first = -1
	for n := range plan.Sources() {
		c := plan.Sender(n)
		if c < s.set.First || c >= s.set.End {
			continue
		}
		if s.first < 0 {
			s.first = n
		}
		lo, hi := plan.Bounds(n / plan.Publishers)
		if plan.Apart {
			lo += plan.Publishers
		}
		members := min(hi, s.set.End) - max(lo, s.set.First)
		s.sources = append(s.sources, source{client: c - s.set.First, members: uint32(members)})
	}
}

// begin starts to send at a time of the clock.
func (s *sender) begin(at int64, window int) {
	s.running, s.start, s.window = true, at, window
	now := s.clock.Now()
	for n := range s.sources {
		s.sources[n].moved = now
	}
	if window > 0 {
		s.fillAll()
	}
}

// setWindow changes how many messages each source keeps on the way.
func (s *sender) setWindow(n int) {
	s.window = n
	s.fillAll()
}

func (s *sender) fillAll() {
	for n := range s.sources {
		s.fill(n, s.clock.Now())
	}
}

// fill sends until the window of a source is full.
func (s *sender) fill(n int, now int64) {
	src := &s.sources[n]
	for s.running && src.seq-s.over(src) < uint32(s.window) {
		if !s.send(n, now) {
			return
		}
	}
}

// over is how many messages of a source are not on the way any more.
func (s *sender) over(src *source) uint32 {
	if s.set.HTTP {
		return min(src.done, src.granted)
	}
	return src.done
}

// landed takes the first arrival of a message of a source at one client.
func (s *sender) landed(number int, now int64) {
	n := number - s.first
	if s.window == 0 || n < 0 || n >= len(s.sources) {
		return
	}
	src := &s.sources[n]
	src.landed++
	if src.landed < src.members {
		return
	}
	src.landed, src.moved = 0, now
	// After a stall arrivals may come that were given up before.
	src.done = min(src.done+1, src.seq)
	s.fill(n, now)
}

// revive lets sources send again whose messages got lost.
func (s *sender) revive(now int64) {
	if s.window == 0 || !s.running || now-s.checked < int64(StallAfter)/8 {
		return
	}
	s.checked = now
	for n := range s.sources {
		src := &s.sources[n]
		if src.seq != src.done && now-src.moved > int64(StallAfter) && s.clients[src.client].state == ready {
			s.stalls++
			src.done, src.landed, src.granted, src.moved = src.seq, 0, src.seq, now
			s.fill(n, now)
		}
	}
}

// due returns when the schedule wants the next message sent.
func (s *sender) due() int64 {
	if !s.running || s.window > 0 || len(s.sources) == 0 {
		return math.MaxInt64
	}
	slot := float64(s.round)*float64(s.set.Plan.Sources()) + float64(s.first+s.turn)
	return s.start + int64(slot*float64(time.Second)/s.set.Rate)
}

// proceed sends what the schedule wants sent by now.
func (s *sender) proceed(now int64) {
	for due := s.due(); due <= now; due = s.due() {
		s.behind = max(s.behind, now-due)
		s.send(s.turn, due)
		if s.turn++; s.turn == len(s.sources) {
			s.turn = 0
			s.round++
		}
	}
	s.revive(now)
}

// send sends the next message of a source; false if its connection is lost.
func (s *sender) send(n int, at int64) bool {
	src := &s.sources[n]
	if s.clients[src.client].state != ready {
		return false
	}
	mark := stamp.Stamp{Source: uint32(s.first + n), Seq: src.seq, Sent: at}
	s.payload = append(mark.AppendTo(s.payload[:0]), s.judge.filling...)
	if s.set.HTTP {
		s.publish(src.client, s.payload)
		src.seq++
		s.total++
		return true
	}
	r := dialect.Request{Verb: dialect.Say, ID: src.seq, Payload: s.payload}
	if s.set.Echo {
		r.Verb = dialect.Echo
	} else {
		r.Room = s.roomName(src.client)
	}
	s.request(src.client, r)
	src.seq++
	s.total++
	return true
}

// sent tells what each source sent.
func (s *sender) sent() []SourceSent {
	out := make([]SourceSent, len(s.sources))
	for n := range s.sources {
		out[n] = SourceSent{Source: s.first + n, Sent: s.sources[n].seq}
	}
	return out
}
