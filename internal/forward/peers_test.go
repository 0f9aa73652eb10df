package forward

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-09a96375/belfry"
)

func newTestPeers(urls map[belfry.NodeID]string) (*book, *peers) {
	b := &book{urls: urls}
	return b, newPeers(page{b, "self"}, "self", slog.New(slog.DiscardHandler))
}

func (b *book) questions() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.asked
}

// TestPeersAreRemembered: the directory is asked when a node is not known, and
// now and then.
func TestPeersAreRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, p := newTestPeers(map[belfry.NodeID]string{"a": "http://a/#s", "self": "http://self/#s"})
		for range 100 {
			if to := p.find(t.Context(), Tag("a")); to == nil || to.url.Host != "a" || to.secret != "s" {
				t.Fatalf("a is %+v", to)
			}
		}
		if n := b.questions(); n != 1 {
			t.Errorf("asked %d times", n)
		}
		if to := p.find(t.Context(), Tag("self")); to != nil {
			t.Errorf("found itself: %+v", to)
		}
		b.set("a", "http://b/#t")
		time.Sleep(addressAge + time.Second)
		if to := p.find(t.Context(), Tag("a")); to == nil || to.url.Host != "b" || to.secret != "t" {
			t.Errorf("a has moved: %+v", to)
		}
	})
}

// TestNewPeer: a node that has just announced itself is found.
func TestNewPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, p := newTestPeers(map[belfry.NodeID]string{})
		if to := p.find(t.Context(), Tag("a")); to != nil {
			t.Errorf("found %+v", to)
		}
		b.set("a", "http://a/")
		if to := p.find(t.Context(), Tag("a")); to == nil {
			t.Error("the new node is not found")
		}
	})
}

// TestUnknownPeersCostLittle: requests with made-up ids do not reach the
// directory one by one.
func TestUnknownPeersCostLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, p := newTestPeers(map[belfry.NodeID]string{})
		begin := time.Now()
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				for range 10 {
					p.find(t.Context(), Tag("nobody"))
				}
			})
		}
		wg.Wait()
		most := int(time.Since(begin)/addressGap) + 1
		if n := b.questions(); n > most {
			t.Errorf("asked %d times in %v", n, time.Since(begin))
		}
		if took := time.Since(begin); took > 20*addressGap {
			t.Errorf("requests waited for each other: %v", took)
		}
	})
}

// TestDirectoryIsAway: what is known stays in use.
func TestDirectoryIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, p := newTestPeers(map[belfry.NodeID]string{"a": "http://a/"})
		p.find(t.Context(), Tag("a"))
		b.mu.Lock()
		b.fail = errors.New("away")
		b.mu.Unlock()
		time.Sleep(2 * addressAge)
		if p.find(t.Context(), Tag("a")) == nil {
			t.Error("a is forgotten")
		}
	})
}

// TestFindEnds: a client that goes away waits for nothing.
func TestFindEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := newTestPeers(map[belfry.NodeID]string{})
		p.find(t.Context(), Tag("a"))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		begin := time.Now()
		p.turn <- struct{}{} // somebody asks, and gets no answer
		if to := p.find(ctx, Tag("a")); to != nil || time.Since(begin) != 0 {
			t.Errorf("found %+v after %v", to, time.Since(begin))
		}
	})
}

func TestParsePeers(t *testing.T) {
	_, p := newTestPeers(nil)
	known := p.parse(map[belfry.NodeID]string{"a": "http://a/", "self": "http://self/", "b": "no address"})
	if len(known) != 1 || known[Tag("a")] == nil {
		t.Errorf("known: %v", known)
	}
}
