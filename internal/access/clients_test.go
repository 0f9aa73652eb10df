package access

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/auth"
)

// idle is a client that never connects. It has a size, so that two are not one.
type idle struct{ _ int }

func (*idle) ID() belfry.SocketID  { return "" }
func (*idle) User() string         { return "" }
func (*idle) Rooms() []belfry.Room { return nil }
func (*idle) Leave(...belfry.Room) {}
func (*idle) Connected() bool      { return false }
func (*idle) Expire(*auth.Error)   {}

// watched runs clients in a bubble, and says who has expired.
func watched(t *testing.T, f func(t *testing.T, c *clients, expired func() int)) {
	synctest.Test(t, func(t *testing.T) {
		c := newClients()
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		var mu sync.Mutex
		n := 0
		all.Go(func() {
			c.run(ctx, func(Client) {
				mu.Lock()
				defer mu.Unlock()
				n++
			})
		})
		f(t, &c, func() int {
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			return n
		})
		cancel()
		all.Wait()
	})
}

func until(d time.Duration) *auth.Identity { return &auth.Identity{Expires: time.Now().Add(d)} }

func TestSessionsEndWithTheirTokens(t *testing.T) {
	watched(t, func(t *testing.T, c *clients, expired func() int) {
		all := make([]idle, 60)
		for i := range all { // the last ends first
			c.add(&all[i], until(time.Duration(len(all)-i)*time.Second))
		}
		for i := 1; i <= len(all)/2; i++ {
			time.Sleep(time.Second)
			if n := expired(); n != i {
				t.Fatalf("after %d s %d have expired", i, n)
			}
		}
		c.forget(&all[0])                 // it has gone
		c.add(&all[1], until(time.Hour))  // refreshed
		c.add(&all[2], &auth.Identity{})  // for good
		c.add(&all[3], until(-time.Hour)) // at once
		if n := expired(); n != 31 {
			t.Errorf("%d have expired, want 31", n)
		}
		time.Sleep(time.Minute)
		if n := expired(); n != 57 {
			t.Errorf("%d have expired, want all but three", n)
		}
		if c.identity(&all[5]) != nil || c.identity(&all[1]) == nil {
			t.Error("who has expired is known, or who has not is not")
		}
	})
}

func TestClientsThatNeverConnectAreForgotten(t *testing.T) {
	watched(t, func(t *testing.T, c *clients, expired func() int) {
		var s, other idle
		c.add(&s, until(time.Hour))
		c.add(&other, &auth.Identity{})
		time.Sleep(settling + time.Second)
		if n := expired(); n != 0 || c.identity(&s) != nil || c.identity(&other) != nil || len(*c.queue) != 0 {
			t.Errorf("%d expired, %d are known", n, len(c.known))
		}
	})
}
