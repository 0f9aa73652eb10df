package auth

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// source is where a keySet of these tests fetches.
type source struct {
	mu      sync.Mutex
	keys    []verifyKey
	err     error
	takes   time.Duration
	fetches atomic.Int32
}

func (s *source) fetch(ctx context.Context) ([]verifyKey, error) {
	s.fetches.Add(1)
	s.mu.Lock()
	keys, err, takes := s.keys, s.err, s.takes
	s.mu.Unlock()
	select {
	case <-time.After(takes):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return keys, err
}

func (s *source) set(err error, ids ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys, s.err = nil, err
	for _, id := range ids {
		s.keys = append(s.keys, verifyKey{id: id, algorithm: EdDSA})
	}
}

// inBubble runs f with a set that fetches every 15 minutes, on its own at most
// every 30 s, and keeps keys for an hour.
func inBubble(t *testing.T, src *source, f func(t *testing.T, s *keySet)) {
	synctest.Test(t, func(t *testing.T) {
		s := &keySet{
			fetch: src.fetch, interval: 15 * time.Minute, pause: 30 * time.Second, maxAge: time.Hour,
			log: slog.New(slog.DiscardHandler),
		}
		s.start()
		defer s.stop()
		f(t, s)
	})
}

func want(t *testing.T, s *keySet, id string, found bool) {
	t.Helper()
	keys, err := s.find(t.Context(), id, EdDSA)
	if err != nil || (len(keys) == 1) != found {
		t.Errorf("key %q: %v %v, want it: %v", id, keys, err, found)
	}
}

func TestKeysAreFetchedWhenAndAgain(t *testing.T) {
	src := &source{takes: time.Second}
	src.set(nil, "a")
	inBubble(t, src, func(t *testing.T, s *keySet) {
		want(t, s, "a", true) // waits for the first fetch
		if keys, err := s.find(t.Context(), "a", RS256); len(keys) != 0 || err != nil {
			t.Errorf("another algorithm: %v %v", keys, err)
		}
		src.set(nil, "b")
		time.Sleep(15*time.Minute + 2*time.Second)
		want(t, s, "a", false)
		want(t, s, "b", true)
		if n := src.fetches.Load(); n != 2 {
			t.Errorf("%d fetches, want 2", n)
		}
	})
}

func TestUnknownKeyIsFetchedOnce(t *testing.T) {
	src := &source{takes: time.Second}
	src.set(nil, "a")
	inBubble(t, src, func(t *testing.T, s *keySet) {
		want(t, s, "a", true)
		src.set(nil, "a", "b")
		want(t, s, "b", false) // it is too early for a fetch
		time.Sleep(30 * time.Second)
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() { want(t, s, "b", true) })
		}
		all.Wait()
		if n := src.fetches.Load(); n != 2 {
			t.Errorf("%d fetches for 100 tokens, want 2", n)
		}
		for range 1000 { // someone tries ids
			want(t, s, "made up", false)
			time.Sleep(100 * time.Millisecond)
		}
		if n := src.fetches.Load(); n > 2+1000/300+1 {
			t.Errorf("%d fetches in 100 s", n)
		}
	})
}

func TestKeysOutliveTheirSource(t *testing.T) {
	gone := errors.New("gone")
	src := &source{}
	src.set(gone)
	inBubble(t, src, func(t *testing.T, s *keySet) {
		if _, err := s.find(t.Context(), "a", EdDSA); !errors.Is(err, gone) {
			t.Errorf("without any keys: %v", err)
		}
		src.set(nil, "a")
		time.Sleep(30*time.Second + 1)
		synctest.Wait()
		want(t, s, "a", true)
		src.set(gone)
		time.Sleep(59 * time.Minute)
		want(t, s, "a", true)
		time.Sleep(2 * time.Minute)
		if _, err := s.find(t.Context(), "a", EdDSA); !errors.Is(err, gone) {
			t.Errorf("after an hour: %v", err)
		}
	})
}

func TestFindEndsWithItsContext(t *testing.T) {
	src := &source{takes: time.Hour}
	inBubble(t, src, func(t *testing.T, s *keySet) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.find(ctx, "a", EdDSA); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, want the end of the context", err)
		}
	})
}
