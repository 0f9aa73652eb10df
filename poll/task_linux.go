package poll

import (
	"sync"
	"sync/atomic"
	"time"
)

// tasks are what handlers of a loop have left to be done; see Go.
//
// While they are few each gets a goroutine. That wakes a thread and costs more than most
// tasks do: when they are many, the loop runs them itself at the end of its round. A
// task may block nonetheless. A watcher looks whether one has become old, takes the loop
// over, and the goroutine that had it ends with its task. After that, and when tasks
// take long on the whole, each gets a goroutine again, for some time.
type tasks struct {
	own atomic.Bool // the loop runs them itself
	// turn is odd while the loop runs one. Who makes it even has the loop.
	turn   atomic.Uint64
	stalls atomic.Uint64 // tasks that another goroutine had to go on without

	mu      sync.Mutex
	round   bool // what is added is run at the end of this round
	list    []func()
	watched bool

	// Of the goroutine that has the loop.
	batch []func()
	next  int // those of batch before it were begun
	trial trial
}

// trial judges whether the loop may run tasks itself. Times are those of the engine.
type trial struct {
	began   time.Duration // of the window that is looked at
	count   int           // of tasks in it
	spent   time.Duration // on those that the loop has run
	pause   time.Duration // the length of the next break
	resumes time.Duration // the end of the last one
}

const (
	// trialWindow is long enough for a thread that lost its processor for some ms
	// not to weigh much.
	trialWindow = 50 * time.Millisecond
	// trialCost ends a window early if tasks take too long.
	trialCost = 10 * time.Millisecond
	// tasksMany in a second make the loop begin, tasksFew make it end.
	tasksMany, tasksFew = 1000, 500
	// taskTime is what they may take on average.
	taskTime = 50 * time.Microsecond
	// A break after tasks took too long is twice the one before.
	shortBreak, longBreak = 100 * time.Millisecond, 5 * time.Second
	// watchEvery is how long a task may block a loop at least; twice that at most.
	watchEvery = 5 * time.Millisecond
	// watchIdle is the number of looks at a loop without tasks that end the watch.
	watchIdle = 20
)

// later has work run at the end of the round, if there is one.
func (c *conn) later(work func()) bool {
	t := &c.loop.tasks
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.round {
		t.list = append(t.list, work)
	}
	return t.round
}

// beginRound lets tasks wait for its end.
func (t *tasks) beginRound() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.round = true
}

// take is the end of a round.
func (t *tasks) take() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.round = false
	t.batch, t.list, t.next = t.list, t.batch[:0], 0
}

// runTasks runs what the round has left. It reports whether this goroutine still has
// the loop; turn is the one that it has, or had.
func (l *loop) runTasks(turn *uint64) bool {
	t := &l.tasks
	t.take()
	n := len(t.batch)
	if n == 0 {
		return true
	}
	own, begin := t.own.Load(), l.engine.since()
	if !own {
		t.disperse()
	} else if !t.runAll(turn) {
		return false
	}
	now := l.engine.since()
	if may := t.trial.judge(own, n, now-begin, now); may && !own {
		l.watchTasks()
	} else if own && !may {
		t.own.Store(false)
	}
	return true
}

// disperse gives a goroutine to each task that was not begun.
func (t *tasks) disperse() {
	for _, work := range t.batch[t.next:] {
		go work()
	}
	t.emptied()
}

func (t *tasks) emptied() {
	clear(t.batch)
	if cap(t.batch) > keepInbox {
		t.batch = nil
	}
	t.batch = t.batch[:0]
}

// runAll reports whether this goroutine still has the loop.
func (t *tasks) runAll(turn *uint64) bool {
	for t.next < len(t.batch) {
		work := t.batch[t.next]
		t.next++
		*turn = t.turn.Add(1)
		work()
		if !t.turn.CompareAndSwap(*turn, *turn+1) {
			return false
		}
	}
	t.emptied()
	return true
}

// judge counts n tasks and the time that the loop took for them if it ran them itself,
// and says whether it is to run the next.
func (r *trial) judge(own bool, n int, took, now time.Duration) bool {
	r.count += n
	if own {
		r.spent += took
	}
	elapsed, mean := now-r.began, r.spent/time.Duration(r.count)
	if elapsed < trialWindow && (mean <= taskTime || r.spent < trialCost) {
		return own
	}
	rate := float64(r.count) / elapsed.Seconds()
	r.began, r.count, r.spent = now, 0, 0
	switch {
	case !own:
		return rate >= tasksMany && now >= r.resumes
	case mean > taskTime:
		r.rest(now)
		return false
	}
	r.pause -= r.pause / 4
	return rate >= tasksFew
}

// rest makes a break, during which each task gets a goroutine.
func (r *trial) rest(now time.Duration) {
	r.pause = min(max(2*r.pause, shortBreak), longBreak)
	r.resumes = now + r.pause
}

// watchTasks has the loop run tasks itself.
func (l *loop) watchTasks() {
	t := &l.tasks
	t.mu.Lock()
	defer t.mu.Unlock()
	t.own.Store(true)
	if !t.watched {
		t.watched = true
		l.engine.running.Add(1)
		go l.watcher()
	}
}

// unwatch reports whether the watcher may go.
func (t *tasks) unwatch() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.watched = t.own.Load()
	return !t.watched
}

// watcher looks after a loop that runs tasks itself. It may become the loop.
func (l *loop) watcher() {
	t := &l.tasks
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	var last uint64
	for idle := 0; !t.unwatch(); {
		<-tick.C
		turn := t.turn.Load()
		switch {
		case turn != last:
			idle = 0
		case turn%2 == 0:
			if idle++; idle == watchIdle {
				t.own.Store(false)
			}
		case t.turn.CompareAndSwap(turn, turn+1):
			tick.Stop()
			l.takeOver()
			return
		}
		last = turn
	}
	l.engine.running.Done()
}

// takeOver makes a watcher the loop, instead of the goroutine that a task blocks.
func (l *loop) takeOver() {
	l.engine.running.Done() // the other does not count any more
	t := &l.tasks
	t.stalls.Add(1)
	t.own.Store(false)
	_ = t.unwatch()
	t.trial.rest(l.engine.since())
	t.disperse()
	l.run()
}

// outlive goes on with the loop if a task has ended its goroutine (runtime.Goexit).
func (l *loop) outlive(turn uint64) {
	if turn%2 == 1 && l.tasks.turn.CompareAndSwap(turn, turn+1) {
		l.tasks.disperse()
		go l.run()
	}
}
