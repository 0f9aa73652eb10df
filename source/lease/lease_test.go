//go:build unix

package lease_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"go.uber.org/goleak"

	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/redisconn"
	"github.com/seed-09a96375/belfry/source/lease"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func connect(t *testing.T, s *redistest.Server) rueidis.Client {
	t.Helper()
	client, err := redisconn.Options{URL: s.URL()}.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// hold works until ctx ends; the channels tell of terms.
func hold(t *testing.T, client rueidis.Client, owner string, ttl time.Duration, working *atomic.Int32) (begun chan *lease.Term, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	begun, done := make(chan *lease.Term, 100), make(chan error)
	go func() {
		done <- lease.Hold(ctx, lease.Options{Client: client, Key: "L", Owner: owner, TTL: ttl}, func(ctx context.Context, term *lease.Term) error {
			if working.Add(1) > 1 {
				t.Error("two have the lease")
			}
			begun <- term
			<-ctx.Done()
			working.Add(-1)
			return nil
		})
	}()
	return begun, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestOneOfManyHasIt(t *testing.T) {
	server := redistest.Start(t)
	client := connect(t, server)
	var working atomic.Int32
	one, stopOne := hold(t, client, "one", time.Minute, &working)
	term := <-one
	if !term.Valid() || !strings.HasPrefix(server.Must("GET", "L"), "one.") || server.Must("GET", "L") != term.Token {
		t.Error("the key is not that of the term")
	}
	two, stopTwo := hold(t, client, "two", time.Minute, &working)
	stopOne() // gives it back: nobody waits for its end
	<-two
	stopTwo()
	if server.Must("EXISTS", "L") != ":0" {
		t.Error("the lease was not given back")
	}
}

func until(t *testing.T, done func() bool) {
	t.Helper()
	for deadline := time.After(40 * time.Second); !done(); {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-deadline:
			t.Fatal("it goes on")
		}
	}
}

func TestWhoLosesItEnds(t *testing.T) {
	server := redistest.Start(t)
	client := connect(t, server)
	var working atomic.Int32
	begun, stop := hold(t, client, "one", 300*time.Millisecond, &working)
	<-begun
	server.Must("SET", "L", "another")
	until(t, func() bool { return working.Load() == 0 })
	server.Must("DEL", "L")
	<-begun
	stop()
}

func TestWhoCannotRenewEndsInTime(t *testing.T) {
	server := redistest.Start(t)
	client := connect(t, server)
	var working atomic.Int32
	begun, stop := hold(t, client, "one", 300*time.Millisecond, &working)
	term := <-begun
	server.Kill()
	until(t, func() bool { return working.Load() == 0 })
	if term.Valid() {
		t.Error("the term counts as held")
	}
	server.Run()
	<-begun
	stop()
}

func TestAnErrorOfTheWorkEndsIt(t *testing.T) {
	server := redistest.Start(t)
	boom := errors.New("boom")
	err := lease.Hold(t.Context(), lease.Options{Client: connect(t, server), Key: "L", Owner: "n"}, func(context.Context, *lease.Term) error { return boom })
	if !errors.Is(err, boom) {
		t.Error(err)
	}
}

func TestOptions(t *testing.T) {
	client := connect(t, redistest.Start(t))
	for want, o := range map[string]lease.Options{
		"Client is nil": {Key: "k", Owner: "o"},
		"Key and Owner": {Client: client, Key: "k"},
		"TTL is 1ms":    {Client: client, Key: "k", Owner: "o", TTL: time.Millisecond},
	} {
		if err := o.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %q", err, want)
		}
	}
}

func TestBeside(t *testing.T) {
	for key, want := range map[string]string{"S": "{S}:x", "a{b}c": "a{b}c:x", "a{}b": "{a{}b}:x", "{S": "{{S}:x"} {
		if got := lease.Beside(key, "x"); got != want {
			t.Errorf("beside %q is %q, want %q", key, got, want)
		}
	}
}
