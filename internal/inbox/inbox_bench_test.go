//go:build unix

package inbox_test

import (
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/seed-09a96375/belfry/internal/inbox"
)

// sink is an owner that does next to nothing.
type sink struct {
	in  inbox.Inbox[[]byte]
	ran atomic.Int64
}

func (s *sink) Run([]byte)           { s.ran.Add(1) }
func (s *sink) Drained()             {}
func (s *sink) Panicked(any, []byte) {}

const (
	benchInboxes = 1000
	benchRate    = 60_000 // items a second
)

// BenchmarkPushOne is the cost of an item that finds its inbox empty and has
// run when the next comes.
func BenchmarkPushOne(b *testing.B) {
	g := inbox.NewGroup[[]byte](inbox.Options{})
	sinks := make([]sink, benchInboxes)
	item := []byte("item")
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		s := &sinks[i%benchInboxes]
		s.in.Push(g, s, item, len(item))
		i++
	}
	_ = g.Wait(b.Context())
}

// BenchmarkPushMany is the cost of an item among others of the same inbox.
func BenchmarkPushMany(b *testing.B) {
	g := inbox.NewGroup[[]byte](inbox.Options{})
	var s sink
	item := []byte("item")
	b.ReportAllocs()
	for b.Loop() {
		if s.in.Push(g, &s, item, len(item)) {
			runtime.Gosched()
		}
	}
	_ = g.Wait(b.Context())
}

// BenchmarkPaced reports the CPU time of one item when 60,000 a second come in
// over 1,000 inboxes, one at a time each: b.N is in milliseconds of traffic.
func BenchmarkPaced(b *testing.B) {
	g := inbox.NewGroup[[]byte](inbox.Options{})
	sinks := make([]sink, benchInboxes)
	item := []byte("item")
	paced(b, func(i int) {
		s := &sinks[i%benchInboxes]
		s.in.Push(g, s, item, len(item))
	})
	_ = g.Wait(b.Context())
}

// BenchmarkStart compares two ways to get a worker at that rate: a goroutine
// each time, and one that waited in reserve since its last work and kept its
// stack. Shallow work fits a new goroutine's stack, deep work makes it grow.
func BenchmarkStart(b *testing.B) {
	for _, depth := range []struct {
		name string
		work func()
	}{{"shallow", func() {}}, {"deep", func() { deep(16) }}} {
		b.Run(depth.name+"/inline", func(b *testing.B) { paced(b, func(int) { depth.work() }) })
		b.Run(depth.name+"/go", func(b *testing.B) { paced(b, func(int) { go depth.work() }) })
		b.Run(depth.name+"/reserve", func(b *testing.B) {
			r := &reserve{jobs: make(chan func())}
			paced(b, func(int) { r.start(depth.work) })
			r.gone.Wait()
		})
	}
}

// deep uses about half a KB of stack a level.
//
//go:noinline
func deep(levels int) byte {
	var frame [512]byte
	if levels > 0 {
		frame[levels] = deep(levels - 1)
	}
	return frame[levels/2]
}

// reserve hands work to a goroutine that waits for it, or starts one, which
// then waits for more for a while.
type reserve struct {
	jobs chan func()
	gone sync.WaitGroup
}

func (r *reserve) start(f func()) {
	select {
	case r.jobs <- f:
	default:
		r.gone.Go(func() { r.work(f) })
	}
}

func (r *reserve) work(f func()) {
	patience := time.NewTimer(time.Second)
	defer patience.Stop()
	for {
		f()
		patience.Reset(10 * time.Millisecond)
		select {
		case f = <-r.jobs:
		case <-patience.C:
			return
		}
	}
}

// paced calls f benchRate times a second, in portions of a millisecond, b.N of
// them, and reports the CPU time of the process for each call.
func paced(b *testing.B, f func(i int)) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	b.ReportAllocs()
	start, calls := cpu(), 0
	for b.Loop() {
		<-tick.C
		for range benchRate / 1000 {
			f(calls)
			calls++
		}
	}
	b.ReportMetric(float64(cpu()-start)/float64(calls), "cpu-ns/item")
}

func cpu() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

func TestIdleInboxIsSmall(t *testing.T) {
	if size := unsafe.Sizeof(inbox.Inbox[[]byte]{}); size > 24 {
		t.Errorf("an idle inbox takes %d bytes", size)
	}
}
