package inbox

import "runtime/debug"

// queue is the state of an Inbox while something waits or runs, and the worker
// that runs it. Its fields are guarded by inbox.mu.
type queue[T any] struct {
	group *Group[T]
	inbox *Inbox[T]
	owner Owner[T]
	work  func() // q.run, made once: a go statement with it allocates nothing

	entries []entry[T] // those from head on wait
	head    int
	running entry[T] // the one that runs; counts until it has
	busy    bool     // running is set
	bytes   int      // of all that wait or run
	awaited bool     // the owner wants to be told when below half
}

type entry[T any] struct {
	item T
	size int
}

// spareEntries bounds what an idle queue keeps for its next use.
const spareEntries = 32

func (q *queue[T]) push(item T, size int) {
	if len(q.entries) == cap(q.entries) && q.head > len(q.entries)/2 {
		n := copy(q.entries, q.entries[q.head:])
		clear(q.entries[n:])
		q.entries, q.head = q.entries[:n], 0
	}
	q.entries = append(q.entries, entry[T]{item, size})
	q.bytes += size
}

// len counts what waits or runs.
func (q *queue[T]) len() int {
	n := len(q.entries) - q.head
	if q.busy {
		n++
	}
	return n
}

func (q *queue[T]) full() bool {
	return q.len() >= q.group.options.MaxItems || q.bytes >= q.group.options.MaxBytes
}

func (q *queue[T]) belowHalf() bool {
	return 2*q.len() < q.group.options.MaxItems && 2*q.bytes < q.group.options.MaxBytes
}

// run is the worker.
func (q *queue[T]) run() {
	for {
		item, what := q.next()
		switch what {
		case runItem:
			q.runOne(item)
		case tellDrained:
			q.owner.Drained()
		case stop:
			q.group.close(q)
			return
		}
	}
}

type step uint8

const (
	runItem step = iota
	tellDrained
	stop
)

// next accounts for the item that has run and says what to do now. After stop
// the queue no longer belongs to the inbox.
func (q *queue[T]) next() (item T, what step) {
	q.inbox.mu.Lock()
	defer q.inbox.mu.Unlock()
	if q.busy {
		q.bytes -= q.running.size
		q.running, q.busy = entry[T]{}, false
	}
	if q.awaited && q.belowHalf() {
		q.awaited = false
		return item, tellDrained
	}
	if q.head == len(q.entries) {
		q.inbox.queue = nil
		return item, stop
	}
	q.running, q.busy = q.entries[q.head], true
	q.entries[q.head] = entry[T]{}
	q.head++
	if q.head == len(q.entries) {
		q.entries, q.head = q.entries[:0], 0
	}
	return q.running.item, runItem
}

// runOne outlives what Run may do to its goroutine.
func (q *queue[T]) runOne(item T) {
	returned := false
	defer func() {
		if returned {
			return
		}
		if v := recover(); v != nil {
			q.owner.Panicked(v, debug.Stack())
			return
		}
		go q.work() // Run called runtime.Goexit: this goroutine ends
	}()
	q.owner.Run(item)
	returned = true
}
