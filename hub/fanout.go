package hub

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// Fanout calls a function for many members on several processors. The zero
// value is ready. Safe for concurrent use. Must not be copied once used.
type Fanout struct {
	// Workers bounds the goroutines of one Each, the caller's included. Default
	// GOMAXPROCS.
	Workers int
	// Inline is the largest number of members that the caller serves alone: for
	// fewer, waking another processor takes longer than it saves. Default 64.
	Inline int

	jobs sync.Pool // *job
}

// chunk is how many members a worker takes at a time: enough to make taking
// them cheap, few enough that all workers end at about the same time.
const chunk = 32

// Each calls fn once for every member and returns when all calls have returned.
// The calls of a large set run on several goroutines, in no order. fn must not
// block. A panic of fn comes out of Each; members may then have been left out.
func (f *Fanout) Each(members []Member, fn func(Member)) {
	workers := f.workers(len(members))
	if workers <= 1 {
		for _, m := range members {
			fn(m)
		}
		return
	}
	j, _ := f.jobs.Get().(*job)
	if j == nil {
		j = new(job)
	}
	j.run(members, fn, workers)
	f.jobs.Put(j)
}

func (f *Fanout) workers(members int) int {
	inline := f.Inline
	if inline <= 0 {
		inline = 64
	}
	if members <= inline {
		return 1
	}
	workers := f.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	return min(workers, (members+chunk-1)/chunk)
}

// job is one Each under way.
type job struct {
	members  []Member
	fn       func(Member)
	next     atomic.Int64 // where the next chunk begins
	helpers  sync.WaitGroup
	panicked atomic.Pointer[helperPanic]
}

// run serves all members and leaves the job empty. It does not return, nor
// panic, before its helpers have ended.
func (j *job) run(members []Member, fn func(Member), workers int) {
	j.members, j.fn = members, fn
	j.next.Store(0)
	j.helpers.Add(workers - 1)
	for range workers - 1 {
		go j.help()
	}
	j.lead()
	j.members, j.fn = nil, nil
	if p := j.panicked.Swap(nil); p != nil {
		panic(p)
	}
}

func (j *job) lead() {
	defer j.helpers.Wait()
	j.work()
}

func (j *job) help() {
	defer j.helpers.Done()
	defer func() {
		if v := recover(); v != nil {
			j.panicked.Store(&helperPanic{v, debug.Stack()})
			j.next.Store(int64(len(j.members))) // the others stop soon
		}
	}()
	j.work()
}

// work serves chunk after chunk until none is left.
func (j *job) work() {
	for {
		end := j.next.Add(chunk)
		begin := end - chunk
		if begin >= int64(len(j.members)) {
			return
		}
		for _, m := range j.members[begin:min(end, int64(len(j.members)))] {
			j.fn(m)
		}
	}
}

// helperPanic carries a panic from a helper to the caller of Each, together
// with the stack that tells where it happened.
type helperPanic struct {
	value any
	stack []byte
}

func (p *helperPanic) Error() string {
	return fmt.Sprintf("%v\n\nin a goroutine of Fanout.Each:\n%s", p.value, p.stack)
}

// Unwrap returns the panic's value if it is an error.
func (p *helperPanic) Unwrap() error {
	err, _ := p.value.(error)
	return err
}
