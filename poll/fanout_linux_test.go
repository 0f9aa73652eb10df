package poll_test

import (
	"bytes"
	"fmt"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/seed-09a96375/belfry/poll"
)

// The benchmarks of fan-out report the server's CPU time per delivered frame;
// the clients are another process. One operation is one broadcast.

const (
	audienceSize = 1000
	frameSize    = 128
)

// BenchmarkFloor is what no server can do better with a call per frame: a bare
// loop of write(2).
func BenchmarkFloor(b *testing.B) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	var fds []uintptr
	for _, c := range startDrain(b, ln, audienceSize) {
		f, err := c.(*net.TCPConn).File()
		if err != nil {
			b.Fatal(err)
		}
		_ = c.Close()
		b.Cleanup(func() { _ = f.Close() })
		fds = append(fds, f.Fd())
		if err := unix.SetNonblock(int(f.Fd()), true); err != nil {
			b.Fatal(err)
		}
	}
	frame := bytes.Repeat([]byte{'x'}, frameSize)
	for _, rate := range rates {
		b.Run(rate.name, func(b *testing.B) {
			frames := 0
			began := cpuTime(b)
			rate.run(b, func() {
				for _, fd := range fds {
					n, _, _ := syscall.RawSyscall(unix.SYS_WRITE, fd, uintptr(unsafe.Pointer(&frame[0])), frameSize)
					if n == frameSize {
						frames++
					}
				}
			})
			report(b, cpuTime(b)-began, frames, frames)
		})
	}
}

func BenchmarkFanout(b *testing.B) {
	for _, mode := range []struct {
		name    string
		network string
		o       poll.Options
	}{
		{"direct", "tcp", poll.Options{MaxCoalesce: -1}},
		{"adaptive", "tcp", poll.Options{}},
		{"unix-direct", "unix", poll.Options{MaxCoalesce: -1}},
		{"portable", "tcp", poll.Options{Portable: true}},
	} {
		b.Run(mode.name, func(b *testing.B) {
			w, conns := audience(b, mode.network, audienceSize, mode.o)
			for _, rate := range rates {
				b.Run(rate.name, func(b *testing.B) { broadcast(b, w.group, conns, rate) })
			}
		})
	}
}

func broadcast(b *testing.B, group *poll.Group, conns []poll.Conn, r rate) {
	frame := poll.Frame{Data: bytes.Repeat([]byte{'x'}, frameSize), Overflow: poll.DropOldest}
	b.ReportAllocs()
	before, began := group.Stats(), cpuTime(b)
	r.run(b, func() {
		for _, c := range conns {
			if err := c.Send(frame); err != nil && err != poll.ErrDropped {
				b.Fatal(err)
			}
		}
	})
	b.StopTimer()
	eventually(b, "everything is written", func() bool {
		for _, c := range conns {
			if c.Buffered() > 0 {
				return false
			}
		}
		return true
	})
	cpu, after := cpuTime(b)-began, group.Stats()
	report(b, cpu, int(after.Frames-before.Frames), int(after.Writes-before.Writes))
	b.ReportMetric(float64(after.DroppedOldest-before.DroppedOldest)/float64(b.N), "dropped/op")
}

func report(b *testing.B, cpu time.Duration, frames, writes int) {
	b.ReportMetric(float64(cpu.Nanoseconds())/float64(frames), "cpu-ns/frame")
	b.ReportMetric(float64(frames)/float64(writes), "frames/write")
}

type rate struct {
	name  string
	pause time.Duration // between broadcasts
}

var rates = []rate{{"flat-out", 0}, {"10Hz", 100 * time.Millisecond}}

func (r rate) run(b *testing.B, f func()) {
	if r.pause == 0 {
		for b.Loop() {
			f()
		}
		return
	}
	tick := time.NewTicker(r.pause)
	defer tick.Stop()
	for b.Loop() {
		f()
		<-tick.C
	}
}

// BenchmarkSend is one direct Send.
func BenchmarkSend(b *testing.B) {
	_, conns := audience(b, "tcp", audienceSize, poll.Options{MaxCoalesce: -1})
	frame := poll.Frame{Data: bytes.Repeat([]byte{'x'}, frameSize), Overflow: poll.DropOldest}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if err := conns[i%len(conns)].Send(frame); err != nil && err != poll.ErrDropped {
			b.Fatal(err)
		}
		i++
	}
}

// BenchmarkParallel broadcasts from several goroutines to the same connections.
func BenchmarkParallel(b *testing.B) {
	for _, senders := range []int{1, 2, 4} {
		b.Run(fmt.Sprint(senders), func(b *testing.B) {
			w, conns := audience(b, "tcp", audienceSize, poll.Options{})
			var all sync.WaitGroup
			before, began := w.group.Stats(), cpuTime(b)
			for range senders {
				all.Go(func() {
					frame := poll.Frame{Data: bytes.Repeat([]byte{'x'}, frameSize), Overflow: poll.DropOldest}
					for range (b.N + senders - 1) / senders {
						for _, c := range conns {
							_ = c.Send(frame)
						}
					}
				})
			}
			all.Wait()
			after := w.group.Stats()
			report(b, cpuTime(b)-began, int(after.Frames-before.Frames), int(after.Writes-before.Writes))
		})
	}
}
