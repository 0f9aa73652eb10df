package bench

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/seed-09a96375/belfry/internal/bench/benchtest"
	"github.com/seed-09a96375/belfry/internal/bench/check"
)

// saboteur spoils every third client's traffic and counts what it did: what the
// checker must find.
type saboteur struct {
	lost, doubled, overtaken, misrouted, corrupt atomic.Uint64

	held [20]string // by client: overtaken by the next
}

// victim reports whether traffic number n of a client is to be spoilt; never
// the first, so that all ends of a stream stay as they are.
func victim(client, n int) bool { return client%3 == 1 && n%5 == 4 }

func (s *saboteur) drop(client, n int, payload string) []string {
	if victim(client, n) {
		s.lost.Add(1)
		return nil
	}
	return []string{payload}
}

func (s *saboteur) double(client, n int, payload string) []string {
	if victim(client, n) {
		s.doubled.Add(1)
		return []string{payload, payload}
	}
	return []string{payload}
}

// swap holds a payload back until the next has gone. One that is held at the
// end is lost.
func (s *saboteur) swap(client, n int, payload string) []string {
	if victim(client, n) {
		s.held[client] = payload
		s.lost.Add(1)
		return nil
	}
	if late := s.held[client]; late != "" {
		s.held[client] = ""
		s.lost.Add(^uint64(0))
		s.overtaken.Add(1)
		return []string{payload, late}
	}
	return []string{payload}
}

// stray sends a payload with the source of another room on top.
func (s *saboteur) stray(client, n int, payload string) []string {
	if victim(client, n) {
		s.misrouted.Add(1)
		return []string{payload, "0000ffff" + payload[8:]}
	}
	return []string{payload}
}

// spoil changes a byte of the filling.
func (s *saboteur) spoil(client, n int, payload string) []string {
	if victim(client, n) {
		s.corrupt.Add(1)
		s.lost.Add(1)
		return []string{payload[:len(payload)-1] + "-"}
	}
	return []string{payload}
}

// truncate cuts the payload.
func (s *saboteur) truncate(client, n int, payload string) []string {
	if victim(client, n) {
		s.corrupt.Add(1)
		s.lost.Add(1)
		return []string{payload[:40]}
	}
	return []string{payload}
}

func (s *saboteur) honest(_, _ int, payload string) []string { return []string{payload} }

// TestCheckerCountsFaultsExactly is the negative control of every claim that
// nothing is lost, doubled or overtaken: a server that does such things, and
// counts them, must be found out to the last message.
func TestCheckerCountsFaultsExactly(t *testing.T) {
	for _, mode := range []Mode{Fanout, Rooms, Echo} {
		for name, fault := range map[string]func(*saboteur, int, int, string) []string{
			"honest": (*saboteur).honest, "drop": (*saboteur).drop, "double": (*saboteur).double,
			"swap": (*saboteur).swap, "stray": (*saboteur).stray,
			"spoil": (*saboteur).spoil, "truncate": (*saboteur).truncate,
		} {
			if mode == Echo && name == "swap" {
				continue // answers may come in any order
			}
			t.Run(string(mode)+"/"+name, func(t *testing.T) {
				t.Parallel()
				s := &saboteur{}
				f := func(client, n int, payload string) []string { return fault(s, client, n, payload) }
				verifyFaults(t, s, name, sabotaged(t, mode, f))
			})
		}
	}
}

// sabotaged runs a mode against a server with a fault. Only one worker connects
// clients in order, so that the server's numbers are known.
func sabotaged(t *testing.T, mode Mode, fault func(client, n int, payload string) []string) check.Tally {
	t.Helper()
	o := benchtest.Options{Deliver: fault}
	if mode == Echo {
		o = benchtest.Options{Answer: fault}
	}
	_, urls := nodes(t, o, 1)
	// A rate also for Echo: one that waits for a lost ack would send no more.
	return mustStart(t, Options{Mode: mode, URLs: urls, Rate: 400}).Check
}

func verifyFaults(t *testing.T, s *saboteur, name string, got check.Tally) {
	t.Helper()
	want := check.Tally{
		Expected: got.Expected, Received: got.Expected - s.lost.Load(), Lost: s.lost.Load(),
		Duplicated: s.doubled.Load(), OutOfOrder: s.overtaken.Load(),
		Misrouted: s.misrouted.Load(), Corrupt: s.corrupt.Load(),
	}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got.Expected == 0 || got.Clean() != (name == "honest") {
		t.Errorf("%s: %+v is clean: %v", name, got, got.Clean())
	}
}

// TestAnswerToAnotherRequest: an ack that carries the payload of another
// request is corrupt.
func TestAnswerToAnotherRequest(t *testing.T) {
	var wrong atomic.Uint64
	got := sabotaged(t, Echo, func(client, n int, payload string) []string {
		if !victim(client, n) {
			return []string{payload}
		}
		wrong.Add(1)
		return []string{payload[:8] + strings.Repeat("0", 8) + payload[16:]}
	})
	if got.Corrupt == 0 || got.Corrupt != wrong.Load() || got.Lost != wrong.Load() {
		t.Errorf("%d answers were wrong: %+v", wrong.Load(), got)
	}
}
