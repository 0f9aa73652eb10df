package bench

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/internal/bench/benchtest"
	"github.com/seed-09a96375/belfry/internal/bench/check"
	"github.com/seed-09a96375/belfry/internal/bench/dialect"
	"github.com/seed-09a96375/belfry/internal/bench/worker"
)

// TestCleanRuns runs every mode against a server that behaves.
func TestCleanRuns(t *testing.T) {
	for _, c := range []struct {
		name  string
		opts  Options
		nodes int
	}{
		{"fanout", Options{Mode: Fanout, Rate: 300}, 1},
		{"fanout, latency", Options{Mode: Fanout, Rate: 300, Drain: -1}, 1},
		{"fanout, long drain", Options{Mode: Fanout, Rate: 300, Drain: 50 * time.Millisecond}, 1},
		{"fanout, publishers", Options{Mode: Fanout, Rate: 300, Publishers: 7}, 1},
		{"fanout, two rooms", Options{Mode: Fanout, Rate: 300, Rooms: 2, Publishers: 3}, 1},
		{"fanout, nodes and workers", Options{Mode: Fanout, Rate: 300, Workers: 3, Publishers: 10}, 2},
		{"fanout, long payload", Options{Mode: Fanout, Rate: 10, Size: 60_000}, 1},
		{"fanout, saturated", Options{Mode: Fanout, Saturate: true, WindowMax: 8}, 1},
		{"fanout, apart", Options{Mode: Fanout, Rate: 300, Publishers: 3, Apart: true}, 3},
		{"fanout, apart, saturated", Options{Mode: Fanout, Publishers: 3, Apart: true, Saturate: true, WindowMax: 4}, 2},
		{"rooms", Options{Mode: Rooms, Rate: 300}, 1},
		{"rooms, apart, workers", Options{Mode: Rooms, Rate: 300, Apart: true, Workers: 3}, 2},
		{"rooms, nodes and workers", Options{Mode: Rooms, Rate: 300, Workers: 3}, 2},
		{"rooms, saturated", Options{Mode: Rooms, Saturate: true, WindowMax: 2}, 1},
		{"echo", Options{Mode: Echo}, 1},
		{"echo, in flight", Options{Mode: Echo, InFlight: 5, Workers: 2}, 2},
		{"echo, rate", Options{Mode: Echo, Rate: 300}, 1},
	} {
		for _, protocol := range []dialect.Name{dialect.SocketIO, dialect.Centrifuge} {
			t.Run(c.name+"/"+string(protocol), func(t *testing.T) {
				t.Parallel()
				_, urls := nodes(t, benchtest.Options{Centrifuge: protocol == dialect.Centrifuge}, c.nodes)
				o := c.opts
				o.URLs, o.Protocol = urls, protocol
				mustBeClean(t, o)
			})
		}
	}
}

// mustBeClean runs a benchmark in which nothing may go wrong, and checks its summary.
func mustBeClean(t *testing.T, o Options) *Result {
	t.Helper()
	o.Grace = 20 * time.Second // for a machine that does something else, too
	r := mustStart(t, o)
	if !r.Check.Clean() || r.Check.Expected == 0 || r.Check.Received != r.Check.Expected {
		t.Errorf("check: %+v", r.Check)
	}
	tr := r.Traffic
	if tr == nil || tr.Deliveries == 0 || (tr.Sent == 0) != (r.Mode == Floor) || tr.Seconds <= 0 || tr.Latency.Max <= 0 || tr.Latency.Count != int64(tr.Deliveries) {
		t.Errorf("traffic: %+v", tr)
	}
	if r.Connect.Clients != 20 || r.Connect.Latency.Count != 20 || r.Partial {
		t.Errorf("connect: %+v, partial %v", r.Connect, r.Partial)
	}
	return r
}

func TestFanoutExpectsEveryMessageAtEveryMember(t *testing.T) {
	_, urls := nodes(t, benchtest.Options{}, 1)
	r := mustStart(t, Options{Mode: Fanout, URLs: urls, Rate: 100})
	// 350 ms at 100/s; the exact number depends on when the run is stopped.
	if n := r.Check.Expected; n%20 != 0 || n < 20*30 {
		t.Errorf("expected %d deliveries, want a multiple of 20 clients, about 20×35", n)
	}
}

// TestApartExpectsNothingAtSenders: 3 of 20 clients send and do not listen.
func TestApartExpectsNothingAtSenders(t *testing.T) {
	servers, urls := nodes(t, benchtest.Options{}, 2)
	r := mustStart(t, Options{Mode: Fanout, URLs: urls, Rate: 100, Publishers: 3, Apart: true})
	if n := r.Check.Expected; n == 0 || n%17 != 0 || !r.Apart {
		t.Errorf("expected %d deliveries, want a multiple of 17 listeners", n)
	}
	if a, b := servers[0].Members(), servers[1].Members(); a != 0 || b != 17 {
		t.Errorf("%d and %d members of rooms, want none on the first server and 17 on the second", a, b)
	}
}

func TestIdleClientsJoin(t *testing.T) {
	servers, urls := nodes(t, benchtest.Options{}, 1)
	r := mustStart(t, Options{Mode: Idle, URLs: urls, Prime: 3, Join: true, Rooms: 20})
	if n := servers[0].Members(); n != 20 || r.Rooms != 20 {
		t.Errorf("%d members, rooms %d; want 20 clients, each in a room", n, r.Rooms)
	}
}

func TestSaturationReportsTheBestStep(t *testing.T) {
	_, urls := nodes(t, benchtest.Options{}, 1)
	r := mustStart(t, Options{Mode: Fanout, URLs: urls, Saturate: true, WindowMax: 4})
	if len(r.Steps) == 0 || r.Rate != 0 {
		t.Fatalf("%d steps, rate %v", len(r.Steps), r.Rate)
	}
	for i, s := range r.Steps {
		if s.Window != 1<<i {
			t.Errorf("step %d has window %d", i, s.Window)
		}
		if s.PerSecond > r.Traffic.PerSecond {
			t.Errorf("step %d has %v deliveries/s, more than the best, %v", i, s.PerSecond, r.Traffic.PerSecond)
		}
	}
}

func TestIdleHoldsAndAnswersHeartbeats(t *testing.T) {
	servers, urls := nodes(t, benchtest.Options{Split: true}, 2)
	r := mustStart(t, Options{Mode: Idle, URLs: urls, Prime: 3, PIDs: []int{os.Getpid()}})
	if r.Hold == nil || r.Hold.Seconds < 0.3 || r.Memory == nil || r.Memory.Before <= 0 || r.Memory.End <= 0 {
		t.Errorf("hold %+v, memory %+v", r.Hold, r.Memory)
	}
	if r.Connect.Per1000 == nil || *r.Connect.Per1000 <= 0 || r.Connect.Clients != 20 {
		t.Errorf("connect: %+v", r.Connect)
	}
	// Two pings with each handshake, in the middle of its two messages.
	if n := servers[0].Pongs() + servers[1].Pongs(); n != 2*23 {
		t.Errorf("%d pongs, want one for each message to 20 clients and 3 that prime", n)
	}
}

func TestHeartbeatsInTraffic(t *testing.T) {
	for _, o := range []benchtest.Options{{Heartbeat: true}, {Heartbeat: true, Centrifuge: true}} {
		servers, urls := nodes(t, o, 1)
		opts := Options{Mode: Echo, URLs: urls}
		if o.Centrifuge {
			opts.Protocol = dialect.Centrifuge
		}
		mustBeClean(t, opts)
		if servers[0].Pongs() == 0 {
			t.Errorf("%+v: no heartbeat was answered", o)
		}
	}
}

func TestFragmentsAndTornFrames(t *testing.T) {
	servers, urls := nodes(t, benchtest.Options{Split: true}, 1)
	mustBeClean(t, Options{Mode: Fanout, URLs: urls, Rate: 200})
	if servers[0].Pongs() == 0 {
		t.Error("no ping between fragments was answered")
	}
}

func TestFloor(t *testing.T) {
	for name, o := range map[string]Options{
		"one room": {Mode: Floor, Rate: 300},
		"rooms":    {Mode: Floor, Rate: 300, Rooms: 4, Workers: 2},
	} {
		t.Run(name, func(t *testing.T) {
			r := mustBeClean(t, o)
			if r.Traffic.PerMillion == nil || *r.Traffic.PerMillion <= 0 {
				t.Errorf("the floor server was not measured: %+v", r.Traffic)
			}
		})
	}
}

// TestLostConnections checks that clients whose connection breaks are counted,
// and what they miss.
func TestLostConnections(t *testing.T) {
	var server atomic.Pointer[benchtest.Server]
	deliver := func(client, n int, payload string) []string {
		if client == 0 && n == 20 {
			go server.Load().Disconnect(5) // deliver is called under a lock that it needs
		}
		return []string{payload}
	}
	servers, urls := nodes(t, benchtest.Options{Deliver: deliver}, 1)
	server.Store(servers[0])
	r := mustStart(t, Options{Mode: Fanout, URLs: urls, Rate: 200, Publishers: 20})
	if r.Check.Disconnected != 5 || r.Check.Lost == 0 || r.Check.Lost+r.Check.Received != r.Check.Expected {
		t.Errorf("check: %+v", r.Check)
	}
}

func TestInterruptedRunHasPartialResult(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	deliver := func(_, n int, payload string) []string {
		if n == 20 {
			interrupt()
		}
		return []string{payload}
	}
	_, urls := nodes(t, benchtest.Options{Deliver: deliver}, 1)
	o := short(Options{Mode: Fanout, URLs: urls, Rate: 100, Duration: time.Hour})
	r, err := start(ctx, o, inProcess, &progress{})
	if err != nil {
		t.Fatal(err)
	}
	if !r.Partial || r.Traffic == nil || !r.Check.Clean() || r.Check.Expected < 20*20 {
		t.Errorf("partial %v, traffic %+v, check %+v", r.Partial, r.Traffic, r.Check)
	}
}

func TestInterruptedConnectHasPartialResult(t *testing.T) {
	ctx, interrupt := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer interrupt()
	_, urls := nodes(t, benchtest.Options{}, 1)
	o := short(Options{Mode: Fanout, URLs: urls, ConnectRate: 1})
	r, err := start(ctx, o, inProcess, &progress{})
	if ctx.Err() == nil || !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		t.Fatalf("ended before it was interrupted: %v", err)
	}
	if err != nil || !r.Partial || r.Connect.Clients >= 20 || r.Check != (check.Tally{}) {
		t.Errorf("%v: partial %v, connect %+v", err, r.Partial, r.Connect)
	}
}

// TestFaultsSayWhatToDo checks the error and the hint for what users get wrong.
func TestFaultsSayWhatToDo(t *testing.T) {
	refusedURL := func(*testing.T) string { return "http://127.0.0.1:1" }
	serving := func(o benchtest.Options) func(*testing.T) string {
		return func(t *testing.T) string {
			_, urls := nodes(t, o, 1)
			return urls[0]
		}
	}
	for _, c := range []struct {
		name       string
		url        func(*testing.T) string
		text, hint string
	}{
		{"nobody listens", refusedURL, "connection refused", "start the server"},
		{"wrong path", serving(benchtest.Options{Handshake: "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"}), "404 Not Found", "--url"},
		{"refused by Engine.IO", serving(benchtest.Options{Handshake: "HTTP/1.1 400 Bad Request\r\n\r\n{\"code\":0}"}), `{\"code\":0}`, "is this a Socket.IO server"},
		{"a web page", serving(benchtest.Options{Handshake: "HTTP/1.1 200 OK\r\n\r\n<html>"}), "200 OK", "is this a Socket.IO server"},
		{"not HTTP", serving(benchtest.Options{Handshake: "-ERR unknown command\r\n\r\n"}), "-ERR", "is this a Socket.IO server"},
		{"endless header", serving(benchtest.Options{Handshake: "HTTP/1.1 200 OK\r\n" + strings.Repeat("a: b\r\n", 5000)}), "too long", ""},
		{"wrong accept", serving(benchtest.Options{Handshake: "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\n\r\n"}), "Sec-WebSocket-Accept", ""},
		{"other protocol", serving(benchtest.Options{Greeting: "<stream>"}), "not the protocol", "--protocol"},
		{"refused by Socket.IO", serving(benchtest.Options{Welcome: `44{"message":"no"}`}), `{"message":"no"}`, "credentials"},
		{"sent away", serving(benchtest.Options{Welcome: `41`}), "EOF", "its log"},
		{"silence", serving(benchtest.Options{Silent: true}), "no answer in time", "ulimit -n"},
		{"no ack for join", serving(benchtest.Options{NoJoinAck: true}), "20 of 20 clients got no ack for join", "contract"},
		{"TLS", func(*testing.T) string { return "https://127.0.0.1" }, "TLS", "proxy"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := short(Options{Mode: Fanout, URLs: []string{c.url(t)}, Timeout: 6 * time.Second})
			_, err := start(t.Context(), o, inProcess, &progress{})
			var fault *worker.Fault
			if !errors.As(err, &fault) {
				t.Fatalf("got %v, want a fault", err)
			}
			if !strings.Contains(fault.Text, c.text) || !strings.Contains(fault.Hint(), c.hint) || (c.hint == "") != (fault.Hint() == "") {
				t.Errorf("got %q, hint %q; want %q, hint %q", fault.Text, fault.Hint(), c.text, c.hint)
			}
		})
	}
}

func TestUnknownProcessIsNamed(t *testing.T) {
	_, urls := nodes(t, benchtest.Options{}, 1)
	o := short(Options{Mode: Idle, URLs: urls, PIDs: []int{1<<22 + 1}, Prime: -1})
	if _, err := start(t.Context(), o, inProcess, &progress{}); err == nil || !strings.Contains(err.Error(), "4194305: no such process") {
		t.Errorf("got %v", err)
	}
}
