package poll_test

import (
	"context"
	"encoding/binary"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/poll"
)

// oneLoop is a world in which all connections share a loop.
func oneLoop(t *testing.T) *world { return newWorld(t, ways[0], poll.Options{Loops: 1}) }

// later is a handler that leaves work to Go.
func later(work func(c poll.Conn, p []byte)) *handler {
	return newHandler(func(c poll.Conn, p []byte) error {
		p = append([]byte(nil), p...)
		poll.Go(c, func() { work(c, p) })
		return nil
	})
}

func laterEcho(c poll.Conn, p []byte) { _ = c.Send(poll.Frame{Data: p}) }

// roundTrip sends a byte and waits for it.
func roundTrip(t *testing.T, client net.Conn) {
	t.Helper()
	if _, err := client.Write([]byte{7}); err != nil {
		t.Fatal(err)
	}
	readFull(t, client, make([]byte, 1))
}

func TestGo(t *testing.T) {
	overAll(t, poll.Options{}, func(t *testing.T, w *world) {
		client := w.connect(later(laterEcho))
		for range 20 {
			roundTrip(t, client)
		}
	})
}

// What blocks holds up nobody for long, however often, and goes on when it can.
func TestWorkThatBlocks(t *testing.T) {
	w := oneLoop(t)
	release := make(chan struct{})
	var begun, ended atomic.Int64
	bad := w.connect(later(func(poll.Conn, []byte) {
		begun.Add(1)
		<-release
		ended.Add(1)
	}))
	good := w.connect(later(laterEcho))
	for w.group.Stats().Stalls < 5 {
		w.group.RunTasks()
		n := begun.Load()
		if _, err := bad.Write([]byte{1}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the work begins", func() bool { return begun.Load() > n })
		roundTrip(t, good)
	}
	close(release)
	eventually(t, "all that blocked ends", func() bool { return ended.Load() == begun.Load() })
}

// The loop outlives what ends its goroutine, and so does the work that comes after.
func TestWorkThatExits(t *testing.T) {
	w := oneLoop(t)
	var ended atomic.Int64
	bad := w.connect(later(func(poll.Conn, []byte) {
		defer ended.Add(1)
		runtime.Goexit()
	}))
	good := w.connect(later(laterEcho))
	for n := range int64(50) {
		w.group.RunTasks()
		if _, err := bad.Write([]byte{1}); err != nil {
			t.Fatal(err)
		}
		roundTrip(t, good)
		eventually(t, "the work ends", func() bool { return ended.Load() == n+1 })
	}
}

func TestCloseBesideWorkThatBlocks(t *testing.T) {
	w := oneLoop(t)
	release, begun := make(chan struct{}), make(chan struct{})
	client := w.connect(later(func(poll.Conn, []byte) {
		close(begun)
		<-release
	}))
	w.group.RunTasks()
	if _, err := client.Write([]byte{1}); err != nil {
		t.Fatal(err)
	}
	<-begun
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := w.group.Close(ctx); err != nil {
		t.Error(err)
	}
	close(release)
}

// Each work is done once, whoever has the loop by then.
func TestEachWorkIsDoneOnce(t *testing.T) {
	w := oneLoop(t)
	const clients, each = 8, 3000
	var done atomic.Int64
	work := func(c poll.Conn, p []byte) {
		if done.Add(1)%500 == 0 {
			<-time.After(15 * time.Millisecond)
		}
		laterEcho(c, p)
	}
	stop := keepRunning(w.group)
	defer stop()
	var all sync.WaitGroup
	for range clients {
		client := w.connect(newHandler(func(c poll.Conn, p []byte) error {
			for ; len(p) >= 4; p = p[4:] {
				number := append([]byte(nil), p[:4]...)
				poll.Go(c, func() { work(c, number) })
			}
			return nil
		}))
		all.Go(func() { sendNumbers(t, client, each) })
	}
	all.Wait()
	t.Logf("%d stalls", w.group.Stats().Stalls)
}

// keepRunning has the loops run all work themselves, whatever they judge.
func keepRunning(g *poll.Group) (stop func()) {
	end := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		for tick := time.NewTicker(time.Millisecond); ; {
			select {
			case <-tick.C:
				g.RunTasks()
			case <-end:
				return
			}
		}
	})
	return func() {
		close(end)
		running.Wait()
	}
}

// sendNumbers sends some at a time, and checks that each comes back once.
func sendNumbers(t *testing.T, client net.Conn, n int) {
	const some = 50
	seen := make([]bool, n)
	buf := make([]byte, 4*some)
	for from := 0; from < n; from += some {
		for i := range some {
			binary.BigEndian.PutUint32(buf[4*i:], uint32(from+i))
		}
		if _, err := client.Write(buf); err != nil {
			t.Error(err)
			return
		}
		readFull(t, client, buf)
		for i := range some {
			number := binary.BigEndian.Uint32(buf[4*i:])
			if number >= uint32(n) || seen[number] {
				t.Errorf("%d came twice, or was never sent", number)
				return
			}
			seen[number] = true
		}
	}
}

func TestTrialOfTasks(t *testing.T) {
	const window, early = 50 * time.Millisecond, 20 * time.Millisecond
	for _, c := range []struct {
		name string
		own  bool
		n    int
		took time.Duration
		now  time.Duration
		want bool
	}{
		{"many", false, 51, 0, window, true},
		{"not many", false, 49, 0, window, false},
		{"many, but not for long", false, 51, 0, early, false},
		{"fewer than before", true, 30, 30 * 40 * time.Microsecond, window, true},
		{"few", true, 20, 0, window, false},
		{"short", true, 500, 500 * 49 * time.Microsecond, window, true},
		{"long", true, 500, 500 * 51 * time.Microsecond, window, false},
		{"long, which costs a lot", true, 100, 100 * 101 * time.Microsecond, early, false},
		{"long, which costs little", true, 50, 50 * 101 * time.Microsecond, early, true},
	} {
		if got := new(poll.Trial).Judge(c.own, c.n, c.took, c.now); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// The breaks after tasks that take long become longer, and short again.
func TestBreaksOfTasks(t *testing.T) {
	var r poll.Trial
	now, own := time.Duration(0), false
	const window, many = 50 * time.Millisecond, 1000
	step := func(each time.Duration) {
		now += window
		own = r.Judge(own, many, many*each, now)
	}
	pause := func() (n int) {
		for step(0); !own; step(0) {
			n++
		}
		return n
	}
	pause()
	var last int
	for range 12 {
		step(time.Millisecond)
		if own {
			t.Fatal("goes on with tasks that take long")
		}
		last = pause()
	}
	if last < 95 || last > 101 { // of 50 ms: 5 s
		t.Errorf("the last break was %d windows", last)
	}
	for range 40 {
		step(time.Microsecond)
	}
	step(time.Millisecond)
	if n := pause(); n > 2 {
		t.Errorf("after good times the break is still %d windows", n)
	}
}
