package poll_test

import (
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seed-09a96375/belfry/poll"
)

const chatterEnv = "POLL_TEST_CHATTER"

// chatter is the process whose clients send small messages, in turn, at a rate.
func chatter(spec string) error {
	var addr string
	var n, rate int
	if _, err := fmt.Sscan(spec, &n, &rate, &addr); err != nil {
		return err
	}
	fds := make([]int, n)
	for i := range fds {
		var err error
		if fds[i], err = dialRaw(addr, i); err != nil {
			return err
		}
	}
	fmt.Println("connected")
	go chat(fds, rate)
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

func chat(fds []int, rate int) {
	message := make([]byte, 32)
	began, sent := time.Now(), 0
	for range time.Tick(time.Millisecond) {
		for due := int(time.Since(began).Seconds() * float64(rate)); sent < due; sent++ {
			_, _ = unix.Write(fds[sent*7919%len(fds)], message)
		}
	}
}

// BenchmarkInbound reports the server's CPU time per small message that comes
// in. One operation is 200 messages.
func BenchmarkInbound(b *testing.B) {
	for _, portable := range []bool{false, true} {
		for _, rate := range []int{1000, 4000, 20_000, 60_000} {
			b.Run(fmt.Sprintf("portable=%t/%d", portable, rate), func(b *testing.B) { benchInbound(b, portable, rate) })
		}
	}
}

func benchInbound(b *testing.B, portable bool, rate int) {
	const conns = 2000
	w := newWorld(b, way{network: "tcp", portable: portable}, poll.Options{})
	count := &counter{batch: make(chan struct{}, 1000)}
	servers := startClients(b, w.ln, conns, fmt.Sprintf("%s=%d %d %s", chatterEnv, conns, rate, w.ln.Addr()))
	for _, c := range servers {
		if err := w.group.Add(c, nil, func(poll.Conn) poll.Handler { return count }); err != nil {
			b.Fatal(err)
		}
	}
	<-count.batch
	began := cpuTime(b)
	b.ReportAllocs()
	for b.Loop() {
		<-count.batch
	}
	b.ReportMetric(float64((cpuTime(b)-began).Nanoseconds())/float64(b.N*countBatch), "cpu-ns/message")
}

const countBatch = 200

// counter tells of every countBatch messages.
type counter struct {
	bytes atomic.Int64
	batch chan struct{}
}

func (c *counter) Data(p []byte) error {
	now := c.bytes.Add(int64(len(p)))
	if before := now - int64(len(p)); now/(32*countBatch) != before/(32*countBatch) {
		select {
		case c.batch <- struct{}{}:
		default: // the benchmark is over
		}
	}
	return nil
}

func (c *counter) Closed(error) {}

// BenchmarkAdd reports the CPU time of taking in an accepted connection.
func BenchmarkAdd(b *testing.B) {
	const conns = 4000
	w := newWorld(b, way{network: "tcp"}, poll.Options{})
	servers := startDrain(b, w.ln, conns)
	tick := time.NewTicker(200 * time.Microsecond) // as clients come, one by one
	defer tick.Stop()
	began := cpuTime(b)
	for _, c := range servers {
		<-tick.C
		if err := w.group.Add(c, nil, func(poll.Conn) poll.Handler { return silent{} }); err != nil {
			b.Fatal(err)
		}
	}
	cpu := cpuTime(b) - began
	began = cpuTime(b)
	for range servers {
		<-tick.C
	}
	cpu -= cpuTime(b) - began
	for b.Loop() { // all this runs only once
	}
	b.ReportMetric(float64(cpu.Nanoseconds())/conns, "cpu-ns/conn")
}
