package worker

import (
	"bytes"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/seed-09a96375/belfry/internal/bench/check"
	"github.com/seed-09a96375/belfry/internal/bench/dialect"
	"github.com/seed-09a96375/belfry/internal/bench/proc"
	"github.com/seed-09a96375/belfry/internal/bench/stamp"
)

// judge checks and times what arrives.
type judge struct {
	*loop
	rooms   []int32        // of each client
	streams []check.Stream // client × Plan.Publishers + number of the source in its room
	tally   check.Tally
	filling []byte // what follows the stamp in each payload
	latency *hdrhistogram.Histogram
	begun   int64 // when the present mark began
	read    int64 // when what is being handled was read
	arrival int64 // when a payload arrived last
	total   uint64
	since   uint64 // of total, before the present mark
}

func (j *judge) prepare() {
	plan, n := j.set.Plan, len(j.clients)
	j.rooms = make([]int32, n)
	for i := range j.rooms {
		j.rooms[i] = int32(plan.Room(j.set.First + i))
	}
	j.streams = make([]check.Stream, n*plan.Publishers)
	j.filling = stamp.Filling(j.set.Seed, j.set.Size)
	j.latency = newHistogram()
	j.begun = j.clock.Now()
}

// newHistogram counts microseconds up to five minutes, three digits exact.
func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, int64(5*time.Minute/time.Microsecond), 3)
}

// record takes one latency in nanoseconds.
func (j *judge) record(ns int64) {
	us := min(max(ns/int64(time.Microsecond), 1), j.latency.HighestTrackableValue())
	_ = j.latency.RecordValue(us) // fails beyond the bounds only
}

// echoed takes the answer to an echo.
func (j *judge) echoed(i int, e dialect.Event) {
	if s, ok := stamp.Parse(e.Payload); ok && s.Seq != e.ID {
		j.tally.Corrupt++ // the answer to another request
		return
	}
	j.arrived(i, e.Payload)
}

// arrived takes one payload at a client.
func (j *judge) arrived(i int, payload []byte) {
	now := j.read
	j.total++
	j.arrival = now
	s, ok := stamp.Parse(payload)
	if !ok || !bytes.Equal(payload[stamp.Len:], j.filling) {
		j.tally.Corrupt++
		return
	}
	per := j.set.Plan.Publishers
	k := int(s.Source) - int(j.rooms[i])*per
	if k < 0 || k >= per || j.deaf(i) {
		j.tally.Misrouted++
		return
	}
	v := j.streams[i*per+k].Add(s.Seq)
	j.tally.Count(v)
	if v != check.Duplicate {
		j.record(now - s.Sent)
		j.returner.arrived(i, s.Sent, now)
		j.sender.landed(int(s.Source), now)
	}
}

// deaf reports whether a client is not in its room.
func (j *judge) deaf(i int) bool { return !j.set.Plan.Listens(j.set.First + i) }

// mark reports what happened since the last mark and begins the next.
func (j *judge) mark() *Mark {
	now := j.clock.Now()
	m := &Mark{
		Nanoseconds: now - j.begun,
		Sent:        j.sender.total - j.sender.since,
		Arrived:     j.total - j.since,
		Behind:      j.sender.behind,
		Stalls:      j.sender.stalls,
		Lost:        j.lost,
	}
	if u, err := proc.Self(); err == nil {
		m.CPU, m.RSS = u.CPU, u.RSS
	}
	// Encoding fails on a histogram with broken bounds only.
	m.Latency, _ = j.latency.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	j.latency.Reset()
	j.begun, j.since = now, j.total
	j.sender.since, j.sender.behind, j.sender.stalls = j.sender.total, 0, 0
	return m
}

// expected is how many deliveries this worker must have seen.
func (j *judge) expected(sent []uint32) (n uint64) {
	per := j.set.Plan.Publishers
	for i, room := range j.rooms {
		if j.deaf(i) {
			continue
		}
		for k := range per {
			n += uint64(sent[int(room)*per+k])
		}
	}
	return n
}

// verdict settles the run.
func (j *judge) verdict(sent []uint32) *check.Tally {
	per := j.set.Plan.Publishers
	t := j.tally
	for i, room := range j.rooms {
		if j.deaf(i) {
			continue
		}
		for k := range per {
			t.Expect(&j.streams[i*per+k], sent[int(room)*per+k])
		}
	}
	t.Disconnected = uint64(j.lost + j.returner.missing())
	return &t
}
