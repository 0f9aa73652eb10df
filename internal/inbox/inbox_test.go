package inbox_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/seed-09a96375/belfry/internal/inbox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// owner notes what its inbox does. run, if set, is called for every item.
type owner struct {
	in    inbox.Inbox[int]
	group *inbox.Group[int]
	run   func(item int)

	mu      sync.Mutex
	inside  int
	ran     []int
	drained int
	panics  []string
	overlap bool
}

func newOwner(o inbox.Options) *owner { return &owner{group: inbox.NewGroup[int](o)} }

func (o *owner) push(item, size int) bool { return o.in.Push(o.group, o, item, size) }

func (o *owner) enter() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.inside++
	o.overlap = o.overlap || o.inside > 1
}

func (o *owner) leave(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.inside--
	f()
}

func (o *owner) Run(item int) {
	o.enter()
	defer o.leave(func() { o.ran = append(o.ran, item) })
	if o.run != nil {
		o.run(item)
	}
}

func (o *owner) Drained() {
	o.enter()
	o.leave(func() { o.drained++ })
}

func (o *owner) Panicked(v any, stack []byte) {
	o.enter()
	o.leave(func() { o.panics = append(o.panics, v.(string)+"\n"+string(stack)) })
}

func (o *owner) check(t *testing.T, ran []int, drained int) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if !slices.Equal(o.ran, ran) {
		t.Errorf("ran %v, want %v", o.ran, ran)
	}
	if o.drained != drained {
		t.Errorf("drained %d times, want %d", o.drained, drained)
	}
	if o.overlap {
		t.Error("two calls at the same time")
	}
}

func numbers(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	return s
}

func TestItemsRunInOrderOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOwner(inbox.Options{})
		o.run = func(int) { runtime.Gosched() }
		for i := range 3000 {
			o.push(i, 1)
			if i%500 == 0 {
				synctest.Wait() // sometimes the worker has gone
			}
		}
		synctest.Wait()
		o.check(t, numbers(3000), 0)
		if n := o.group.Busy(); n != 0 {
			t.Errorf("%d workers with nothing to do", n)
		}
	})
}

// TestConcurrentPushers checks that each pusher's items keep their order.
func TestConcurrentPushers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const pushers, each = 4, 500
		o := newOwner(inbox.Options{})
		var wg sync.WaitGroup
		for p := range pushers {
			wg.Go(func() {
				for i := range each {
					o.push(p*each+i, 1)
				}
			})
		}
		wg.Wait()
		synctest.Wait()
		last := map[int]int{}
		for _, item := range o.ran {
			if next, ok := last[item/each]; ok && item != next+1 {
				t.Fatalf("item %d came after %d", item, next)
			}
			last[item/each] = item
		}
		if len(o.ran) != pushers*each || o.overlap {
			t.Errorf("%d items ran, overlap %v", len(o.ran), o.overlap)
		}
	})
}

func TestBlockedHandlerHoldsUpOnlyItsOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		blocked, free := newOwner(inbox.Options{}), newOwner(inbox.Options{})
		free.group = blocked.group
		gate := make(chan struct{})
		blocked.run = func(int) { <-gate }
		blocked.push(0, 1)
		free.push(0, 1)
		free.push(1, 1)
		synctest.Wait()
		blocked.check(t, nil, 0)
		free.check(t, numbers(2), 0)
		close(gate)
		synctest.Wait()
		blocked.check(t, numbers(1), 0)
	})
}

func TestLimits(t *testing.T) {
	tests := []struct {
		name    string
		options inbox.Options
		size    int
		full    int // the push, counted from 0, that reports full
		resume  int // how many items have run when the owner is told
	}{
		{"items", inbox.Options{MaxItems: 8, MaxBytes: 1000}, 1, 7, 5},
		{"bytes", inbox.Options{MaxItems: 1000, MaxBytes: 80}, 10, 7, 5},
		{"one item", inbox.Options{MaxItems: 1}, 1, 0, 1},
		{"one big item", inbox.Options{MaxBytes: 10}, 11, 0, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOwner(tt.options)
				gate := make(chan struct{})
				o.run = func(int) { <-gate }
				for i := range tt.full + 1 {
					if full := o.push(i, tt.size); full != (i == tt.full) {
						t.Fatalf("push %d: full %v", i, full)
					}
				}
				if !o.in.AwaitDrained() {
					t.Fatal("a full inbox is said to be drained")
				}
				for range tt.resume {
					o.check(t, o.ran, 0)
					gate <- struct{}{}
					synctest.Wait()
				}
				o.check(t, numbers(tt.resume), 1)
				close(gate)
				synctest.Wait()
				o.check(t, numbers(tt.full+1), 1)
			})
		})
	}
}

func TestAwaitDrainedAfterTheFact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOwner(inbox.Options{MaxItems: 1})
		if !o.push(0, 1) {
			t.Error("not full at the limit")
		}
		synctest.Wait()
		if o.in.AwaitDrained() {
			t.Error("would wait for a call that does not come")
		}
		o.check(t, numbers(1), 0)
	})
}

// TestPauseNeverSticks is a reader that pauses when full, against workers that
// drain at the same time: it must always get going again.
func TestPauseNeverSticks(t *testing.T) {
	o := &reader{group: inbox.NewGroup[int](inbox.Options{MaxItems: 2}), resume: make(chan struct{}, 1)}
	const items = 20_000
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for i := range items {
		if !o.in.Push(o.group, o, i, 1) || !o.in.AwaitDrained() {
			continue
		}
		select {
		case <-o.resume:
		case <-ctx.Done():
			t.Fatalf("paused for good at item %d", i)
		}
	}
	if err := o.group.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	if o.ran != items {
		t.Errorf("%d of %d ran", o.ran, items)
	}
}

type reader struct {
	in     inbox.Inbox[int]
	group  *inbox.Group[int]
	resume chan struct{}
	ran    int
}

func (r *reader) Run(int)              { r.ran++ }
func (r *reader) Drained()             { r.resume <- struct{}{} }
func (r *reader) Panicked(any, []byte) {}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOwner(inbox.Options{MaxItems: 2})
		gate := make(chan struct{})
		o.run = func(int) { <-gate }
		o.push(0, 1)
		o.push(1, 1) // full: the last item is taken nonetheless
		o.in.Close(o.group, o, 2)
		o.in.Close(o.group, o, 99)
		if o.push(100, 1) {
			t.Error("a closed inbox says that it is full")
		}
		close(gate)
		synctest.Wait()
		o.check(t, numbers(3), 0)
		o.push(101, 1)
		synctest.Wait()
		o.check(t, numbers(3), 0)
	})
}

func TestCloseWhenIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOwner(inbox.Options{})
		o.in.Close(o.group, o, 0)
		synctest.Wait()
		o.check(t, numbers(1), 0)
	})
}

func TestPushAndCloseFromWithinRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOwner(inbox.Options{})
		o.run = func(item int) {
			if item == 0 {
				o.push(1, 1)
				o.in.Close(o.group, o, 2)
			}
		}
		o.push(0, 1)
		synctest.Wait()
		o.check(t, numbers(3), 0)
	})
}

func TestPanicIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOwner(inbox.Options{})
		o.run = brokenHandler
		for i := range 4 {
			o.push(i, 1)
		}
		synctest.Wait()
		o.check(t, numbers(4), 0)
		if len(o.panics) != 2 {
			t.Fatalf("%d panics reported, want 2", len(o.panics))
		}
		for _, want := range []string{"odd item", "brokenHandler"} {
			if !strings.Contains(o.panics[0], want) {
				t.Errorf("the report does not tell %q:\n%s", want, o.panics[0])
			}
		}
	})
}

func brokenHandler(item int) {
	if item%2 == 1 {
		panic("odd item")
	}
}

func TestGoexitEndsOneItemOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOwner(inbox.Options{MaxItems: 2})
		o.run = func(item int) {
			if item == 1 {
				runtime.Goexit()
			}
		}
		for i := range 4 {
			o.push(i, 1)
		}
		synctest.Wait()
		o.check(t, numbers(4), 0)
		if n := o.group.Busy(); n != 0 {
			t.Errorf("%d workers left", n)
		}
	})
}

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOwner(inbox.Options{})
		if err := o.group.Wait(t.Context()); err != nil {
			t.Errorf("nothing to wait for: %v", err)
		}
		o.run = func(int) { <-time.After(time.Minute) }
		o.push(0, 1)
		o.push(1, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := o.group.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("waiting too short: %v", err)
		}
		start := time.Now()
		if err := o.group.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		if waited := time.Since(start); waited != 2*time.Minute-time.Second {
			t.Errorf("waited %v", waited)
		}
		o.check(t, numbers(2), 0)
	})
}

func TestSpareQueuesKeepNoItems(t *testing.T) {
	collected := make(chan struct{})
	g := inbox.NewGroup[*[1 << 10]byte](inbox.Options{})
	o := &holder{}
	func() {
		item := new([1 << 10]byte)
		runtime.AddCleanup(item, func(c chan struct{}) { close(c) }, collected)
		o.in.Push(g, o, item, 1)
	}()
	if err := g.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	runtime.GC() // one: the second would empty the pool of spare queues
	select {
	case <-collected:
	case <-time.After(10 * time.Second):
		t.Fatal("the item is still held")
	}
	runtime.KeepAlive(g)
}

type holder struct{ in inbox.Inbox[*[1 << 10]byte] }

func (h *holder) Run(*[1 << 10]byte)   {}
func (h *holder) Drained()             {}
func (h *holder) Panicked(any, []byte) {}

func TestOptionsValidate(t *testing.T) {
	for _, o := range []inbox.Options{{MaxItems: -1}, {MaxBytes: -1}} {
		if o.Validate() == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
	if err := (inbox.Options{}).Validate(); err != nil {
		t.Error(err)
	}
}
