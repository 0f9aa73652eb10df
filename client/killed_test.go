//go:build unix

package client_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/queue/redisstream"
	"github.com/seed-09a96375/belfry/redisconn"
)

const (
	killedKeys   = 40
	killedEvents = 40 // of each key
	consumers    = 4
	kills        = 3
)

// TestKilled has consumers that are killed again and again, and a Redis that is
// killed and comes back: each event that was accepted must have had its effect, once,
// and those of a key in order.
func TestKilled(t *testing.T) {
	t.Parallel()
	got := runKilled(t, "also")
	for _, fault := range got.faults() {
		t.Error(fault)
	}
	t.Logf("%d events accepted, %d runs of handlers", got.accepted, got.runs)
	if got.runs < int64(got.accepted) {
		t.Errorf("%d runs for %d events: the effects do not come from handlers", got.runs, got.accepted)
	}
}

// TestKilledControl: consumers that read without acknowledging lose events when they
// are killed, and the account shows it.
func TestKilledControl(t *testing.T) {
	t.Parallel()
	got := runKilled(t, "noack")
	if got.lost() == 0 {
		t.Error("nothing is lost without acknowledgements: the account proves nothing")
	}
}

// TestKilledAtLeastOnce: effects that do not go with the acknowledgement are doubled
// by a kill, and none is lost. This is the other control, and what is promised to
// handlers that do not record IDs.
func TestKilledAtLeastOnce(t *testing.T) {
	t.Parallel()
	got := runKilled(t, "apart")
	if lost := got.lost(); lost != 0 {
		t.Errorf("%d events are lost", lost)
	}
	if got.doubled() == 0 {
		t.Error("no effect is doubled: the account proves nothing")
	}
}

// account is what became of the events.
type account struct {
	accepted int
	runs     int64               // of handlers
	effects  map[string][]string // IDs by key, in the order in which they took effect
}

func eventID(key, i int) string { return fmt.Sprintf("%02d-%04d", key, i) }

// faults names every event that did not have its effect once, and every key whose
// events are out of order.
func (a *account) faults() (faults []string) {
	for k := range killedKeys {
		var last string
		count := make(map[string]int)
		for _, id := range a.effects[fmt.Sprint("key", k)] {
			if count[id]++; id < last && len(faults) < 20 {
				faults = append(faults, fmt.Sprintf("event %s took effect before %s", last, id))
			}
			last = id
		}
		for i := range killedEvents {
			if n := count[eventID(k, i)]; n != 1 && len(faults) < 20 {
				faults = append(faults, fmt.Sprintf("event %s took effect %d times", eventID(k, i), n))
			}
		}
	}
	return faults
}

func (a *account) lost() int {
	seen := make(map[string]bool)
	for _, ids := range a.effects {
		for _, id := range ids {
			seen[id] = true
		}
	}
	return a.accepted - len(seen)
}

func (a *account) doubled() int {
	n := 0
	for _, ids := range a.effects {
		n += len(ids)
	}
	return n - (a.accepted - a.lost())
}

func runKilled(t *testing.T, kind string) *account {
	server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	client, err := redisconn.Options{URL: server.URL()}.Open(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	q, err := redisstream.New(ctx, redisstream.Options{
		Client: client, Name: "q", Groups: []string{"g"}, Wait: 30 * time.Second, TrimEvery: 300 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	crew := startCrew(t, kind, server)
	defer crew.end()
	var producers sync.WaitGroup
	for k := range killedKeys {
		producers.Go(func() { produce(ctx, t, q, k) })
	}
	const all = killedKeys * killedEvents
	for i := range kills {
		awaitHandled(ctx, client, int64(all*(i+1)/(kills+2)))
		crew.killOne()
		if i == kills/2 {
			server.Kill()
			server.Run()
		}
	}
	producers.Wait()
	awaitQuiet(ctx, client, q, all)
	return takeAccount(ctx, t, client)
}

// produce appends the events of a key one after the other, each until it is accepted.
func produce(ctx context.Context, t *testing.T, q *redisstream.Queue, k int) {
	for i := range killedEvents {
		e := &belfry.Event{ID: eventID(k, i), Namespace: "/", Name: "e", Key: fmt.Sprint("key", k)}
		for {
			err := q.Append(ctx, e)
			if err == nil || errors.Is(err, belfry.ErrDuplicate) {
				break
			}
			if ctx.Err() != nil {
				t.Errorf("event %s: %v", e.ID, err)
				return
			}
		}
	}
}

// awaitHandled waits until that many handlers have run.
func awaitHandled(ctx context.Context, c rueidis.Client, n int64) {
	for ctx.Err() == nil {
		if runs, err := c.Do(ctx, c.B().Get().Key("runs").Build()).AsInt64(); err == nil && runs >= n {
			return
		}
		pause(ctx, 2*time.Millisecond)
	}
}

// awaitQuiet waits until all have taken effect, or nothing is left to be handled.
func awaitQuiet(ctx context.Context, c rueidis.Client, q *redisstream.Queue, all int) {
	for ctx.Err() == nil {
		s, err := q.Stats(ctx)
		if err == nil && len(s.Groups) == 1 && s.Groups[0].Lag == 0 && s.Groups[0].Pending == 0 {
			break
		}
		pause(ctx, 20*time.Millisecond)
	}
	// A consumer that does not acknowledge may still be at it.
	for last := int64(-1); ctx.Err() == nil; {
		runs, _ := c.Do(ctx, c.B().Get().Key("runs").Build()).AsInt64()
		if runs >= int64(all) || runs == last {
			return
		}
		last = runs
		pause(ctx, 300*time.Millisecond)
	}
}

func takeAccount(ctx context.Context, t *testing.T, c rueidis.Client) *account {
	a := &account{accepted: killedKeys * killedEvents, effects: make(map[string][]string)}
	a.runs, _ = c.Do(ctx, c.B().Get().Key("runs").Build()).AsInt64()
	for k := range killedKeys {
		key := fmt.Sprint("key", k)
		ids, err := c.Do(ctx, c.B().Lrange().Key(key).Start(0).Stop(-1).Build()).AsStrSlice()
		if err != nil {
			t.Error(err)
		}
		a.effects[key] = ids
	}
	return a
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// crew is the consumers, each a process.
type crew struct {
	t       *testing.T
	kind    string
	server  *redistest.Server
	members []*exec.Cmd
}

func startCrew(t *testing.T, kind string, server *redistest.Server) *crew {
	c := &crew{t: t, kind: kind, server: server}
	for range consumers {
		c.members = append(c.members, c.start())
	}
	return c
}

func (c *crew) start() *exec.Cmd {
	cmd := exec.Command(os.Args[0]) //nolint:gosec // this test
	cmd.Env = append(os.Environ(), "BELFRY_TEST_CONSUMER="+c.kind, "BELFRY_TEST_REDIS="+c.server.URL())
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	return cmd
}

// killOne kills one, and starts another in its place.
func (c *crew) killOne() {
	i := rand.IntN(len(c.members)) //nolint:gosec // guards nothing
	c.stop(i)
	c.members[i] = c.start()
}

func (c *crew) stop(i int) {
	_ = c.members[i].Process.Kill()
	_ = c.members[i].Wait()
}

func (c *crew) end() {
	for i := range c.members {
		c.stop(i)
	}
}
