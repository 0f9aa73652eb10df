package serve

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-09a96375/belfry/auth"
	"github.com/seed-09a96375/belfry/socketio"
)

// watched runs clients in a bubble, and says who has expired.
func watched(t *testing.T, f func(t *testing.T, c *clients, expired func() int)) {
	synctest.Test(t, func(t *testing.T) {
		c := newClients()
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		var mu sync.Mutex
		n := 0
		all.Go(func() {
			c.run(ctx, func(*socketio.Socket) {
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
		sockets := make([]socketio.Socket, 60)
		for i := range sockets { // the last ends first
			c.add(&sockets[i], until(time.Duration(len(sockets)-i)*time.Second))
		}
		for i := 1; i <= len(sockets)/2; i++ {
			time.Sleep(time.Second)
			if n := expired(); n != i {
				t.Fatalf("after %d s %d have expired", i, n)
			}
		}
		c.forget(&sockets[0])                 // it has gone
		c.add(&sockets[1], until(time.Hour))  // refreshed
		c.add(&sockets[2], &auth.Identity{})  // for good
		c.add(&sockets[3], until(-time.Hour)) // at once
		if n := expired(); n != 31 {
			t.Errorf("%d have expired, want 31", n)
		}
		time.Sleep(time.Minute)
		if n := expired(); n != 57 {
			t.Errorf("%d have expired, want all but three", n)
		}
		if c.identity(&sockets[5]) != nil || c.identity(&sockets[1]) == nil {
			t.Error("who has expired is known, or who has not is not")
		}
	})
}

func TestSocketsThatNeverConnectAreForgotten(t *testing.T) {
	watched(t, func(t *testing.T, c *clients, expired func() int) {
		var s, other socketio.Socket
		c.add(&s, until(time.Hour))
		c.add(&other, &auth.Identity{})
		time.Sleep(settling + time.Second)
		if n := expired(); n != 0 || c.identity(&s) != nil || c.identity(&other) != nil || len(*c.queue) != 0 {
			t.Errorf("%d expired, %d are known", n, len(c.known))
		}
	})
}
