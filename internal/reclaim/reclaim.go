// Package reclaim gives memory back to the operating system once a server has
// become quiet. A burst of connects leaves a heap that is twice what its
// sessions need, and Go's own collector would keep it so for minutes: for a
// server whose clients are mostly idle that is the larger half of its memory.
package reclaim

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

const (
	// every is how often the server is looked at; it is quiet if it allocates
	// less than quietBytes between two looks.
	every      = time.Second
	quietBytes = 1 << 20
	// worthwhile is the least that must have been allocated since the last time,
	// so that a quiet server does not collect again and again.
	worthwhile = 8 << 20
)

// Start looks after the memory until the returned function is called, which
// waits for the end.
func Start(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Go(func() { run(ctx) })
	return func() { cancel(); done.Wait() }
}

func run(ctx context.Context) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	w := watch{last: allocated(), reclaimed: allocated()}
	for {
		select {
		case <-tick.C:
			if w.due(allocated()) {
				debug.FreeOSMemory()
			}
		case <-ctx.Done():
			return
		}
	}
}

// watch decides when to collect, by the bytes allocated since the start of the
// process.
type watch struct{ last, reclaimed uint64 }

func (w *watch) due(now uint64) bool {
	quiet := now-w.last < quietBytes
	w.last = now
	if !quiet || now-w.reclaimed < worthwhile {
		return false
	}
	w.reclaimed = now
	return true
}

func allocated() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
