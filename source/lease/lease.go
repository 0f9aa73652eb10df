// Package lease has one node of many do something: the one that holds a key of
// Redis. It is for sources that must be read by one node at a time.
//
// Who holds the lease renews it three times in its TTL. Who cannot ends its work
// before the TTL is over; who was stopped for longer, and does not know yet, is kept
// off by the token, which scripts compare with the key. A node that ends by itself
// gives the lease back, and another has it within a second.
package lease

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
)

// ErrLost ends the context of work whose lease is lost.
var ErrLost = errors.New("the lease is lost")

// Options of a lease. Client, Key and Owner are required.
type Options struct {
	Client rueidis.Client
	// Key of the lease, the same on all nodes.
	Key string
	// Owner is what Redis shows as the holder: the name of the node.
	Owner string
	// TTL is how long a node that says nothing keeps the lease. Default 5 s, at least
	// 300 ms.
	TTL time.Duration
	// Logger gets who holds the lease. Default slog.Default().
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.TTL == 0 {
		o.TTL = 5 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

// Validate names the first option that cannot work.
func (o Options) Validate() error {
	o = o.withDefaults()
	switch {
	case o.Client == nil:
		return errors.New("lease: Options.Client is nil: give the connection to Redis")
	case o.Key == "" || o.Owner == "":
		return errors.New("lease: Options.Key and Owner must not be empty")
	case o.TTL < 300*time.Millisecond:
		return fmt.Errorf("lease: Options.TTL is %v: must be at least 300ms", o.TTL)
	}
	return nil
}

// Beside returns a key that is in the same slot of a Redis Cluster as another.
func Beside(key, suffix string) string {
	if _, rest, found := strings.Cut(key, "{"); found {
		if tag, _, closed := strings.Cut(rest, "}"); closed && tag != "" {
			return key + ":" + suffix
		}
	}
	return "{" + key + "}:" + suffix
}

// Term is one time of holding the lease.
type Term struct {
	// Token is what the key holds during the term, of this term alone.
	Token string
	begun time.Time
	until atomic.Int64 // since begun, ns
}

// Valid reports whether the lease is surely held now. It does not block.
func (t *Term) Valid() bool { return time.Since(t.begun) < time.Duration(t.until.Load()) }

// extend counts from before the command that Redis has answered. A tenth is for
// clocks that differ in pace, and for what is done after Valid.
func (t *Term) extend(asked time.Time, ttl time.Duration) {
	t.until.Store(int64(asked.Sub(t.begun) + ttl - ttl/10))
}

var (
	renewal = rueidis.NewLuaScript(`if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`)
	surrender = rueidis.NewLuaScript(`if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`)
) // never changed

// Hold calls work whenever this node gets the lease, until ctx ends: then it returns
// nil. work must return when its context ends, which it does with ErrLost when the
// lease is lost. An error of work while it has the lease ends Hold.
func Hold(ctx context.Context, o Options, work func(context.Context, *Term) error) error {
	o = o.withDefaults()
	if err := o.Validate(); err != nil {
		return err
	}
	for ctx.Err() == nil {
		t := o.take(ctx)
		if t == nil {
			pause(ctx, o.TTL/5)
			continue
		}
		o.Logger.Info("lease taken", "key", o.Key)
		if err := o.term(ctx, t, work); err != nil {
			return err
		}
	}
	return nil
}

// pause waits for about d, at most a second.
func pause(ctx context.Context, d time.Duration) {
	d = min(d, time.Second)
	timer := time.NewTimer(d/2 + mathrand.N(d/2+1)) //nolint:gosec // spreads load, guards nothing
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// take returns a term if the lease is free, nil if not or if nobody knows.
func (o Options) take(ctx context.Context) *Term {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand ends the process instead
	t := &Term{Token: o.Owner + "." + hex.EncodeToString(random[:]), begun: time.Now()}
	c := o.Client.B().Set().Key(o.Key).Value(t.Token).Nx().PxMilliseconds(o.TTL.Milliseconds()).Build()
	if err := o.Client.Do(ctx, c).Error(); err != nil {
		return nil // held, or it expires if it was taken after all
	}
	t.extend(t.begun, o.TTL)
	return t
}

// term does the work of one term.
func (o Options) term(ctx context.Context, t *Term, work func(context.Context, *Term) error) error {
	held, lose := context.WithCancelCause(ctx)
	defer lose(nil)
	done := make(chan struct{})
	go func() {
		defer close(done)
		o.renew(held, t, lose)
	}()
	err := work(held, t)
	lost := errors.Is(context.Cause(held), ErrLost)
	lose(nil)
	<-done
	o.giveBack(context.WithoutCancel(ctx), t)
	if lost {
		o.Logger.Warn("lease lost", "key", o.Key)
		return nil
	}
	return err
}

// renew renews the lease until ctx ends or the lease is lost.
func (o Options) renew(ctx context.Context, t *Term, lose context.CancelCauseFunc) {
	tick := time.NewTicker(o.TTL / 3)
	defer tick.Stop()
	for {
		expiry := time.NewTimer(time.Duration(t.until.Load()) - time.Since(t.begun))
		select {
		case <-tick.C:
		case <-expiry.C:
			lose(ErrLost)
			return
		case <-ctx.Done():
			expiry.Stop()
			return
		}
		expiry.Stop()
		asked := time.Now()
		bounded, cancel := context.WithTimeout(ctx, o.TTL/3)
		n, err := renewal.Exec(bounded, o.Client, []string{o.Key}, []string{t.Token, strconv.FormatInt(o.TTL.Milliseconds(), 10)}).AsInt64()
		cancel()
		switch {
		case err == nil && n == 1:
			t.extend(asked, o.TTL)
		case err == nil:
			lose(ErrLost)
			return
		}
	}
}

func (o Options) giveBack(ctx context.Context, t *Term) {
	ctx, cancel := context.WithTimeout(ctx, o.TTL/3)
	defer cancel()
	// If that fails, it ends by itself.
	_ = surrender.Exec(ctx, o.Client, []string{o.Key}, []string{t.Token}).Error()
}
