package auth

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"
)

// keySet holds the keys of a URL. One goroutine fetches: from time to time, and
// when a token names a key that is not there.
type keySet struct {
	fetch    func(context.Context) ([]verifyKey, error)
	interval time.Duration // between fetches
	pause    time.Duration // at least, between fetches that tokens cause
	maxAge   time.Duration // of keys that cannot be fetched again
	log      *slog.Logger

	state  atomic.Pointer[fetched]
	ask    chan struct{}
	cancel context.CancelFunc
	done   chan struct{}
}

// fetched is what the last attempt left. It is never changed.
type fetched struct {
	keys  []verifyKey
	since time.Time     // of keys
	tried time.Time     // the last attempt; zero: there was none
	err   error         // of that attempt
	next  chan struct{} // closed when another attempt is over
}

// start begins to fetch; stop ends it.
func (s *keySet) start() {
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel, s.ask, s.done = cancel, make(chan struct{}, 1), make(chan struct{})
	s.state.Store(&fetched{next: make(chan struct{})})
	go s.run(ctx)
}

func (s *keySet) stop() {
	s.cancel()
	<-s.done
}

func (s *keySet) run(ctx context.Context) {
	defer close(s.done)
	for ctx.Err() == nil {
		s.attempt(ctx)
		s.wait(ctx)
	}
}

// attempt fetches the keys. Those that were there stay if that fails.
func (s *keySet) attempt(ctx context.Context) {
	old := s.state.Load()
	now := &fetched{keys: old.keys, since: old.since, next: make(chan struct{})}
	keys, err := s.fetch(ctx)
	now.tried = time.Now()
	if now.err = err; err == nil {
		now.keys, now.since = keys, now.tried
	} else if ctx.Err() == nil {
		s.log.Warn("keys for tokens cannot be fetched; tokens are verified with those that are there", "keys", len(old.keys), "err", err)
	}
	s.state.Store(now)
	close(old.next)
}

// wait returns when it is time for another attempt.
func (s *keySet) wait(ctx context.Context) {
	interval := s.interval
	if s.state.Load().err != nil {
		interval = min(s.pause, s.interval)
	}
	timer := time.NewTimer(interval)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			return
		case <-s.ask:
			if !s.resting(s.state.Load()) {
				return
			}
		}
	}
}

// resting reports whether it is too early for a token to cause an attempt.
func (s *keySet) resting(f *fetched) bool {
	return !f.tried.IsZero() && time.Since(f.tried) < s.pause
}

var errNoKeys = errors.New("no keys have been fetched")

// find returns the keys that fit. If there are none it has them fetched once more,
// but not more often than every s.pause. An error means that nobody can tell now.
func (s *keySet) find(ctx context.Context, id string, alg Algorithm) ([]verifyKey, error) {
	f := s.state.Load()
	keys, err := s.known(f, id, alg)
	if len(keys) > 0 || s.resting(f) {
		return keys, err
	}
	select {
	case s.ask <- struct{}{}:
	default:
	}
	select {
	case <-f.next:
	case <-s.done:
		return nil, errNoKeys
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return s.known(s.state.Load(), id, alg)
}

func (s *keySet) known(f *fetched, id string, alg Algorithm) ([]verifyKey, error) {
	if f.since.IsZero() || time.Since(f.since) > s.maxAge {
		if f.err != nil {
			return nil, f.err
		}
		return nil, errNoKeys
	}
	return fitting(f.keys, id, alg), nil
}

// maxTries bounds the signatures that a token without a key's id is worth.
const maxTries = 8

// fitting returns the keys for tokens of that algorithm with that id. Keys without
// one are for all; a token without one fits all.
func fitting(keys []verifyKey, id string, alg Algorithm) (fit []verifyKey) {
	for _, k := range keys {
		if k.algorithm == alg && (id == "" || k.id == "" || k.id == id) && len(fit) < maxTries {
			fit = append(fit, k)
		}
	}
	return fit
}
