//go:build unix

package chaostest

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

// bench is what a fault may be done to: node 1 has the proxy between itself and
// Redis.
type bench struct {
	*testing.T
	server *redistest.Server
	proxy  *proxy
	pair   *redistest.Pair
}

func wait(d time.Duration) { <-time.After(d) }

func faults() map[string]func(*bench) {
	return map[string]func(*bench){
		"link cut": func(b *bench) {
			b.proxy.cut()
			wait(500 * time.Millisecond)
			b.proxy.restore()
		},
		"link cut for a moment": func(b *bench) {
			b.proxy.cut()
			wait(100 * time.Millisecond)
			b.proxy.restore()
		},
		"link cut for longer than a lease": func(b *bench) {
			b.proxy.cut()
			wait(10 * time.Second)
			b.proxy.restore()
		},
		"link cut often": func(b *bench) {
			for range 5 {
				b.proxy.cut()
				b.proxy.restore()
				wait(100 * time.Millisecond)
			}
		},
		"nothing comes from redis": func(b *bench) {
			b.proxy.swallow("downstream")
			wait(1500 * time.Millisecond)
			b.proxy.spit()
		},
		"nothing goes to redis": func(b *bench) {
			b.proxy.swallow("upstream")
			wait(1500 * time.Millisecond)
			b.proxy.spit()
		},
		"subscriptions killed": func(b *bench) {
			for range 5 {
				b.server.Must("CLIENT", "KILL", "TYPE", "pubsub")
				wait(100 * time.Millisecond)
			}
		},
		"all connections killed": func(b *bench) {
			for range 5 {
				b.server.Must("CLIENT", "KILL", "TYPE", "normal")
				wait(100 * time.Millisecond)
			}
		},
		"redis frozen": func(b *bench) {
			b.server.Signal(syscall.SIGSTOP)
			wait(time.Second)
			b.server.Signal(syscall.SIGCONT)
		},
		"redis killed, with AOF": func(b *bench) {
			b.server.Kill()
			wait(200 * time.Millisecond)
			b.server.Run()
		},
		"script cache emptied": func(b *bench) {
			b.server.Must("SCRIPT", "FLUSH")
			wait(100 * time.Millisecond)
		},
	}
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// TestFaults loses nothing, doubles nothing, keeps the order, in both modes.
func TestFaults(t *testing.T) {
	for name, fault := range faults() {
		for mode, interest := range map[string]bool{"everything": false, "interest": true} {
			t.Run(name+"/"+mode, func(t *testing.T) {
				t.Parallel()
				b := newBench(t, interest, "--appendonly", "yes", "--appendfsync", "always")
				b.pair.Under(t.Context(), func() { fault(b) })
				b.pair.MustBeComplete(t)
			})
		}
	}
}

func newBench(t *testing.T, interest bool, args ...string) *bench {
	b := &bench{T: t, server: redistest.Start(t, args...)}
	b.proxy = newProxy(t, b.server)
	b.pair = redistest.AttachPair(t, [2]belfry.Bus{
		open(t, hasty(b.server.URL(), interest)), open(t, hasty(b.proxy.url(), interest)),
	})
	return b
}

// TestTheCheckerSees is the control: with a log that is emptied while a node is
// away nothing can be repaired, and the checker must see it, and the node be told.
func TestTheCheckerSees(t *testing.T) {
	b := newBench(t, false)
	b.pair.Under(t.Context(), func() {
		b.proxy.cut()
		wait(300 * time.Millisecond)
		b.server.Must("XTRIM", "belfry:{0}:log", "MAXLEN", "0")
		b.proxy.restore()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := b.pair.Verdict(ctx); err == nil {
		t.Error("nothing can have been repaired, but the checker finds nothing wrong")
	}
	if b.pair.Losses() == nil {
		t.Error("the node was not told of its loss")
	}
}

// TestRedisForgets: whatever Redis loses, nodes are told, and go on.
func TestRedisForgets(t *testing.T) {
	for name, forget := range map[string]func(*redistest.Server){
		"restart without disk": func(s *redistest.Server) { s.Kill(); s.Run() },
		"flushall":             func(s *redistest.Server) { s.Must("FLUSHALL") },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, false)
			before := publishLogged(t, b.pair.Links[0])
			forget(b.server)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			for _, n := range b.pair.Nodes {
				b.must(n.AwaitLoss(ctx))
			}
			after := publishLogged(t, b.pair.Links[0])
			for _, n := range b.pair.Nodes {
				b.must(n.Await(ctx, "logged"))
			}
			log := b.pair.Links[1].(belfry.Log)
			err := log.Replay(ctx, "/", before, func(*belfry.Message) error { return errors.New("called") })
			if !errors.Is(err, belfry.ErrNoOffset) {
				t.Errorf("replay after an offset that was lost: %v, want ErrNoOffset", err)
			}
			if !log.Before(before, after) || log.Before(after, before) {
				t.Errorf("%s of the earlier epoch is not before %s", before, after)
			}
		})
	}
}

func publishLogged(t *testing.T, l belfry.Link) belfry.Offset {
	t.Helper()
	m := redistest.Message("logged")
	if err := l.Publish(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	return m.Offset
}
