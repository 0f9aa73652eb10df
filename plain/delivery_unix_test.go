//go:build unix

package plain_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/internal/fronttest"
	"github.com/seed-09a96375/belfry/plain"
	"github.com/seed-09a96375/belfry/socketio"
)

// BenchmarkDelivery compares the fronts over TCP: one event of 128 bytes to a room
// of 500 clients on this node, until all have it. The readers' time is the same for
// all and counts in all. What other programs do to the machine shows least in
// cpu-ns, the processors' time of this process.
//
//	go test ./plain -run xxx -bench Delivery -count 5
func BenchmarkDelivery(b *testing.B) {
	const members = 500
	for _, front := range []struct {
		name, path string
		hello      []string
	}{
		{"socket.io", "/socket.io/?EIO=4&transport=websocket", []string{"40"}},
		{"stomp", "/stomp", []string{
			"CONNECT\naccept-version:1.2\n\n\x00",
			"SUBSCRIBE\nid:sub-0\ndestination:/topic/room\nreceipt:1\n\n\x00",
		}},
		{"websocket", "/ws", []string{`{"join":{"room":"room"}}`}},
		{"stream", "/sse?room=room", nil},
	} {
		b.Run(front.name, func(b *testing.B) {
			n := newNodeOn(b, memory.New(memory.Options{}), plain.Options{})
			n.io.OnConnect(func(_ context.Context, s *socketio.Socket) { must(b, s.Join("room")) })
			var got atomic.Int64
			arrived := make(chan struct{}, 1)
			for range members {
				read(b, n, front.path, front.hello, func() {
					if got.Add(1)%members == 0 {
						arrived <- struct{}{}
					}
				})
			}
			fronttest.Eventually(b, "all are in the room", func() bool {
				sockets, err := n.io.In("room").FetchSockets(b.Context())
				return err == nil && len(sockets) == members
			})
			payload := strings.Repeat("x", payloadSize)
			b.ReportAllocs()
			before := processorTime(b)
			for b.Loop() {
				must(b, n.io.To(belfry.Room("room")).Emit(b.Context(), "message", payload))
				<-arrived
			}
			b.ReportMetric(float64((processorTime(b)-before).Nanoseconds())/float64(b.N*members), "cpu-ns/delivery")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*members), "ns/delivery")
		})
	}
}

// processorTime is what the process has used so far.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// read opens a WebSocket by hand and calls got for each message that has the
// payload.
func read(b *testing.B, n *node, path string, hello []string, got func()) {
	b.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(n.url, "http://"))
	must(b, err)
	b.Cleanup(func() { _ = c.Close() })
	_, err = fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", path)
	must(b, err)
	for _, text := range hello {
		_, err := c.Write(append([]byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0}, text...))
		must(b, err)
	}
	go func() {
		r := bufio.NewReader(c)
		for run := 0; ; {
			ch, err := r.ReadByte()
			if err != nil {
				return
			}
			if ch != 'x' {
				run = 0
			} else if run++; run == payloadSize {
				got()
			}
		}
	}()
}

// payloadSize is a run of x that nothing else in a frame is as long as.
const payloadSize = 128
