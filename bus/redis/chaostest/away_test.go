//go:build unix

package chaostest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

// TestRedisAway: while Redis is away, bounded waits, explicit errors, and
// Volatile messages for this node; afterwards everything works again.
func TestRedisAway(t *testing.T) {
	server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	o := hasty(server.URL(), false)
	o.Spool = redis.Spool{Time: 300 * time.Millisecond, Bytes: 1000}
	n, link := attach(t, open(t, o), "a")
	redistest.Publish(t, link, redistest.Message("before"))
	server.Kill()
	begun := time.Now()
	if err := link.Publish(t.Context(), redistest.Message("logged")); !isAway(err) {
		t.Errorf("publish while redis is away: %v, want ErrUnavailable", err)
	}
	if took := time.Since(begun); took > 3*time.Second {
		t.Errorf("it took %v to say so", took)
	}
	big := redistest.Message(strings.Repeat("x", 2000))
	if err := link.Publish(t.Context(), big); !isAway(err) {
		t.Errorf("publish more than the spool takes: %v, want ErrUnavailable", err)
	}
	volatile := redistest.Message("volatile")
	volatile.Volatile = true
	redistest.Publish(t, link, volatile)
	request := redistest.Message("request")
	request.Request = 1
	if err := link.Publish(t.Context(), request); !isAway(err) {
		t.Errorf("request while redis is away: %v, want ErrUnavailable", err)
	}
	if _, err := link.Peers(t.Context()); !errors.Is(err, belfry.ErrUnavailable) {
		t.Errorf("peers while redis is away: %v, want ErrUnavailable", err)
	}
	if ok, reasons := link.(belfry.HealthReporter).Health(); ok {
		t.Errorf("healthy without redis: %v", reasons)
	}
	server.Run()
	awaitHealth(t, link, true)
	redistest.Publish(t, link, redistest.Message("after"))
	n.Expect(t, "before", "volatile", "after")
}

func awaitHealth(t *testing.T, link belfry.Link, want bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		ok, reasons := link.(belfry.HealthReporter).Health()
		if ok == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("health is %v, %v", ok, reasons)
		}
		wait(10 * time.Millisecond)
	}
}

// TestHealthTellsOfASilentBus: red within five seconds when nothing comes back.
func TestHealthTellsOfASilentBus(t *testing.T) {
	for _, direction := range []string{"downstream", "upstream"} {
		t.Run(direction, func(t *testing.T) {
			t.Parallel()
			p := newProxy(t, redistest.Start(t))
			_, link := attach(t, open(t, redis.Options{URL: p.url()}), "a")
			awaitHealth(t, link, true)
			p.swallow(direction)
			begun := time.Now()
			awaitHealth(t, link, false)
			if took := time.Since(begun); took > 5*time.Second {
				t.Errorf("red after %v", took)
			}
			p.spit()
			awaitHealth(t, link, true)
		})
	}
}

// TestForeignEntries puts what is not ours in the way of a repair.
func TestForeignEntries(t *testing.T) {
	server := redistest.Start(t)
	p := newProxy(t, server)
	n, link := attach(t, open(t, hasty(p.url(), false)), "a")
	_, other := attach(t, open(t, redis.Options{URL: server.URL()}), "b")
	p.cut()
	redistest.Publish(t, other, redistest.Message("one"))
	server.Must("XADD", "belfry:{0}:log", "2-5", "what", "ever")
	server.Must("SET", "belfry:{0}:seq", "2-5")
	redistest.Publish(t, other, redistest.Message("three"))
	p.restore()
	n.Expect(t, "one", "three")
	redistest.Publish(t, link, redistest.Message("four"))
	if losses := n.Losses(); losses != nil {
		t.Errorf("told of losses: %v", losses)
	}
}

// TestLeases: a node that died drops out with its lease, and its id is free then.
func TestLeases(t *testing.T) {
	server := redistest.Start(t)
	o := hasty(server.URL(), false)
	_, link := attach(t, open(t, o), "a")
	if _, err := open(t, o).Attach(t.Context(), redistest.NewLedger("a")); err == nil {
		t.Error("two nodes have one id")
	}
	p := newProxy(t, server)
	o.URL = p.url()
	n := redistest.NewLedger("dying")
	dying, err := open(t, o).Attach(t.Context(), n)
	check(t, err)
	peers, err := link.Peers(t.Context())
	if err != nil || len(peers) != 2 {
		t.Errorf("peers %v, %v, want two", peers, err)
	}
	p.cut()
	deadline := time.Now().Add(o.Lease + time.Second)
	for len(peers) != 1 && time.Now().Before(deadline) {
		wait(10 * time.Millisecond)
		peers, err = link.Peers(t.Context())
		check(t, err)
	}
	if len(peers) != 1 {
		t.Errorf("peers %v after the lease of one ran out", peers)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	check(t, dying.Close(ctx))
}

// isAway reports whether a publish has failed because Redis is away: the first may
// have been under way when it went.
func isAway(err error) bool {
	return errors.Is(err, belfry.ErrUnavailable) || errors.Is(err, belfry.ErrInDoubt)
}
