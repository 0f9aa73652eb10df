package worker

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seed-09a96375/belfry/internal/bench/dialect"
	"github.com/seed-09a96375/belfry/internal/bench/stamp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// offline returns a loop whose clients are ready, but have no sockets: what they
// would send stays in their queues.
func offline(t *testing.T, s Setup) *loop {
	t.Helper()
	s.Protocol, s.Size = dialect.SocketIO, stamp.Len
	s.Targets = []Target{{Addr: "127.0.0.1:1"}}
	l, err := newLoop(s, stamp.NewClock(), nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.poller.close)
	for i := range l.clients {
		l.clients[i].state = ready
	}
	return l
}

func TestScheduleSharesTheRateAmongWorkers(t *testing.T) {
	plan := Plan{Clients: 10, Rooms: 2, Publishers: 2} // sources are clients 0, 1, 5, 6
	const start, period = 1000, int64(time.Second) / 100
	// Source n sends at n, n+4, n+8… periods.
	for _, c := range []struct {
		first, end int
		sources    []int64
	}{{0, 1, []int64{0}}, {1, 6, []int64{1, 2}}, {6, 10, []int64{3}}, {7, 9, nil}} {
		l := offline(t, Setup{Plan: plan, First: c.first, End: c.end, Rate: 100})
		l.sender.begin(start, 0)
		for round := range int64(3) {
			for _, n := range c.sources {
				want := start + (round*4+n)*period
				if got := l.sender.due(); got != want {
					t.Errorf("clients %d to %d: due at %d, want %d", c.first, c.end, got, want)
				}
				l.sender.proceed(want)
			}
		}
		if got, want := l.sender.total, uint64(3*len(c.sources)); got != want {
			t.Errorf("clients %d to %d sent %d, want %d", c.first, c.end, got, want)
		}
	}
}

func TestScheduleCatchesUpAndSaysHowLate(t *testing.T) {
	l := offline(t, Setup{Plan: Plan{Clients: 1, Rooms: 1, Publishers: 1}, End: 1, Rate: 1000})
	l.sender.begin(0, 0)
	l.sender.proceed(int64(10 * time.Millisecond))
	if l.sender.total != 11 || l.sender.behind != int64(10*time.Millisecond) {
		t.Errorf("sent %d, %v behind; want 11 and 10ms", l.sender.total, time.Duration(l.sender.behind))
	}
}

func TestWindowWaitsForAllMembers(t *testing.T) {
	l := offline(t, Setup{Plan: Plan{Clients: 4, Rooms: 2, Publishers: 1}, End: 4})
	s := &l.sender
	s.begin(0, 2)
	if s.total != 4 {
		t.Fatalf("two sources sent %d, want a window of 2 each", s.total)
	}
	s.landed(1, 0)
	if s.total != 4 {
		t.Error("sent on though one member is still to get the message")
	}
	s.landed(1, 0)
	if s.total != 5 || s.sources[1].seq != 3 {
		t.Errorf("sent %d, want one more by the second source", s.total)
	}
	s.setWindow(5)
	if s.total != 11 || s.sources[0].seq != 5 || s.sources[1].seq != 6 {
		t.Errorf("sent %d, want both windows filled to 5", s.total)
	}
}

func TestStalledSourceSendsOn(t *testing.T) {
	l := offline(t, Setup{Plan: Plan{Clients: 2, Rooms: 1, Publishers: 1}, End: 2})
	s := &l.sender
	s.begin(0, 3)
	begun := s.sources[0].moved
	s.revive(begun + int64(StallAfter))
	if s.total != 3 || s.stalls != 0 {
		t.Fatalf("gave up at once: sent %d, %d stalls", s.total, s.stalls)
	}
	s.revive(begun + 2*int64(StallAfter))
	if s.total != 6 || s.stalls != 1 {
		t.Errorf("sent %d, %d stalls; want 6 and 1", s.total, s.stalls)
	}
	// What was given up arrives after all: the window does not overflow.
	for range 12 {
		s.landed(0, begun)
	}
	if src := s.sources[0]; src.seq-src.done > 3 {
		t.Errorf("%d on the way, want at most 3", src.seq-src.done)
	}
}

func TestRunRefusesAWrongFirstOrder(t *testing.T) {
	in := strings.NewReader(`{"op":"mark"}`)
	var out strings.Builder
	err := Run(in, &out)
	var r Report
	if jsonErr := json.Unmarshal([]byte(out.String()), &r); jsonErr != nil || err == nil || r.Fault == nil || !strings.Contains(r.Fault.Text, "mark") {
		t.Errorf("returned %v, reported %q", err, out.String())
	}
}

func TestRunEndsWithItsParent(t *testing.T) {
	if err := Run(strings.NewReader(""), io.Discard); err != nil {
		t.Error(err)
	}
	if err := Run(strings.NewReader(`{"op":"quit"}`), io.Discard); err != nil {
		t.Error(err)
	}
}
