package wheel

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// fired is a timer that has fired, and when.
type firing struct {
	t  *Timer[int]
	at time.Time
}

func TestWheelFiresInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n, resolution = 2000, 10 * time.Millisecond
		fired := make(chan firing, n)
		w := New(resolution, func(t *Timer[int]) { fired <- firing{t, time.Now()} })
		defer w.Close()
		due := make(map[*Timer[int]]time.Time)
		random := rand.New(rand.NewPCG(1, 2))
		for range n {
			tm, d := &Timer[int]{}, time.Duration(random.IntN(20_000))*time.Millisecond // up to four turns
			w.Arm(tm, d)
			due[tm] = time.Now().Add(d)
			time.Sleep(time.Duration(random.IntN(5)) * time.Millisecond)
		}
		for range n {
			f := <-fired
			if late := f.at.Sub(due[f.t]); late < 0 || late > 2*resolution {
				t.Fatalf("fired %v late", late)
			}
			delete(due, f.t)
		}
		if len(due) != 0 {
			t.Errorf("%d timers did not fire", len(due))
		}
	})
}

func TestWheelStopAndRearm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fired := make(chan firing, 10)
		w := New(10*time.Millisecond, func(t *Timer[int]) { fired <- firing{t, time.Now()} })
		defer w.Close()
		var stopped, later, sooner Timer[int]
		begin := time.Now()
		w.Arm(&stopped, time.Second)
		w.Arm(&later, time.Second)
		w.Arm(&sooner, time.Hour)
		w.Arm(&later, 2*time.Second)
		w.Arm(&sooner, 500*time.Millisecond)
		w.Stop(&stopped)
		w.Stop(&stopped)
		for _, want := range []firing{{&sooner, begin.Add(500 * time.Millisecond)}, {&later, begin.Add(2 * time.Second)}} {
			f := <-fired
			if late := f.at.Sub(want.at); f.t != want.t || late < 0 || late > 20*time.Millisecond {
				t.Errorf("the wrong timer, or %v late", late)
			}
		}
		time.Sleep(2 * time.Hour)
		if len(fired) != 0 {
			t.Error("a stopped timer fired")
		}
	})
}

// TestWheelSleeps: without timers there is no goroutine.
func TestWheelSleeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New(10*time.Millisecond, func(*Timer[int]) {})
		defer w.Close()
		for range 3 {
			var tm Timer[int]
			w.Arm(&tm, time.Second)
			if !w.isRunning() {
				t.Error("no goroutine for an armed timer")
			}
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if w.isRunning() {
				t.Error("a goroutine is left")
			}
			w.done.Wait()
			time.Sleep(time.Hour) // the clock of a sleeping wheel goes on
		}
	})
}

func (w *Wheel[T]) isRunning() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.running
}

// TestWheelWraps: ticks are 32 bits.
func TestWheelWraps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fired := make(chan firing, 1)
		w := New(10*time.Millisecond, func(t *Timer[int]) { fired <- firing{t, time.Now()} })
		defer w.Close()
		w.base = w.base.Add(-(1<<32 - 100) * w.resolution)
		var tm Timer[int]
		begin := time.Now()
		w.Arm(&tm, 3*time.Second)
		if late := (<-fired).at.Sub(begin) - 3*time.Second; late < 0 || late > 20*time.Millisecond {
			t.Errorf("%v late", late)
		}
	})
}

// BenchmarkWheel is one arming of a timer among many.
func BenchmarkWheel(b *testing.B) {
	for _, n := range []int{1, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := New(100*time.Millisecond, func(*Timer[int]) {})
			timers := make([]Timer[int], n)
			for i := range timers {
				w.Arm(&timers[i], 25*time.Second)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				w.Arm(&timers[i%n], 25*time.Second)
			}
			b.StopTimer()
			for i := range timers {
				w.Stop(&timers[i])
			}
			w.Close()
		})
	}
}
