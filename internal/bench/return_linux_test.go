package bench

import (
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/internal/bench/benchtest"
)

// mortal starts a process that stands for servers: when it is killed, they end
// with all their connections.
func mortal(t *testing.T, servers ...*benchtest.Server) (pid int) {
	t.Helper()
	cmd := exec.Command("sleep", "600")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // it ends by being killed
		for _, s := range servers {
			_ = s.Kill() // fails if the test has closed it
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // unless it has been
		<-ended
	})
	return cmd.Process.Pid
}

// returning runs Return with 2 senders and 18 listeners on two nodes, the second
// of which is killed.
func returning(t *testing.T, o benchtest.Options) *Result {
	t.Helper()
	servers, urls := nodes(t, o, 2)
	r := mustStart(t, Options{Mode: Return, URLs: urls, Rooms: 2, Rate: 2000, Victim: mortal(t, servers[1])})
	b := r.Return
	if b == nil || b.Clients != 18 || b.Back != 18 || b.Latency.Count != 18 || b.BackSeconds <= 0 || b.Seconds < b.BackSeconds {
		t.Fatalf("returned: %+v", b)
	}
	if r.Check.Disconnected != 0 || r.Check.Expected == 0 || r.Check.Received+r.Check.Lost != r.Check.Expected {
		t.Errorf("check: %+v", r.Check)
	}
	return r
}

func TestReturnWithSessions(t *testing.T) {
	var missed atomic.Int64
	r := returning(t, benchtest.Options{Recovery: true, Replay: func(_ int, m []string) []string {
		missed.Add(int64(len(m)))
		return m
	}})
	if r.Return.Recovered != 18 || !r.Check.Clean() || missed.Load() == 0 {
		t.Errorf("returned %+v, check %+v, %d were missed", r.Return, r.Check, missed.Load())
	}
}

// TestReturnWithoutSessions: clients that do not get their session back are in
// their rooms again, but count as not recovered, and what they missed as lost.
func TestReturnWithoutSessions(t *testing.T) {
	r := returning(t, benchtest.Options{})
	if r.Return.Recovered != 0 || r.Check.Lost == 0 || r.Check.Received < r.Check.Expected/2 {
		t.Errorf("returned %+v, check %+v", r.Return, r.Check)
	}
}

// TestReturnCountsWhatRecoveryGetsWrong is the negative control: a server that
// says it has recovered a client, and has not.
func TestReturnCountsWhatRecoveryGetsWrong(t *testing.T) {
	t.Run("loses", func(t *testing.T) {
		var lost atomic.Uint64
		r := returning(t, benchtest.Options{Recovery: true, Replay: func(_ int, m []string) []string {
			lost.Add(uint64(min(len(m), 1)))
			return m[min(len(m), 1):]
		}})
		if n := lost.Load(); n == 0 || r.Check.Lost != n || r.Return.Recovered != 18 {
			t.Errorf("%d were left out: returned %+v, check %+v", n, r.Return, r.Check)
		}
	})
	t.Run("doubles", func(t *testing.T) {
		var doubled atomic.Uint64
		r := returning(t, benchtest.Options{Recovery: true, Replay: func(_ int, m []string) []string {
			doubled.Add(uint64(len(m)))
			return append(m[:len(m):len(m)], m...)
		}})
		if n := doubled.Load(); n == 0 || r.Check.Duplicated != n || r.Check.Lost != 0 {
			t.Errorf("%d were doubled: check %+v", n, r.Check)
		}
	})
}

// TestReturnToNowhere: clients that cannot come back are counted, and do not hold
// up the run.
func TestReturnToNowhere(t *testing.T) {
	servers, urls := nodes(t, benchtest.Options{}, 2)
	r := mustStart(t, Options{
		Mode: Return, URLs: urls, Rooms: 2, Rate: 100, Victim: mortal(t, servers...), Timeout: 3 * time.Second,
	})
	if b := r.Return; b == nil || b.Clients != 18 || b.Back != 0 || b.Seconds != 0 || r.Check.Disconnected != 20 {
		t.Errorf("returned %+v, check %+v", b, r.Check)
	}
}
