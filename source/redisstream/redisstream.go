// Package redisstream is a source of the entries of a Redis Stream: each once
// across all nodes, in the order of the stream.
//
// # Flow
//
//	lease ─ read.lua: XREADGROUP ─ handle ─┬ nil: done.lua: XACK, many at a time
//	            ▲                          ├ *PoisonError: bury.lua: XADD dead letters, XACK
//	            └ XREAD BLOCK: news?       └ other errors: again, after a pause
//
// # One reader
//
// Of all nodes the one with the lease reads, so that the order of the stream is
// kept; another takes over when it stops or dies. All holders are one consumer of
// the group: what one had not acknowledged the next finds pending, and handles
// first. Scripts compare the token of the lease, so that a node that was stopped for
// a while and does not know yet takes nothing and acknowledges nothing. What it was
// handling it may hand on once more: the ID of a record is what makes that
// harmless.
//
// docs/routes.md says what operators see.
package redisstream

import (
	"context"
	"embed"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/source/lease"
)

//go:embed scripts/*.lua
var scriptFiles embed.FS

// consumer is the name in the group that all nodes share.
const consumer = "belfry"

// Source implements belfry.Source, belfry.BatchSource and belfry.LagReporter. One
// Run or RunBatches at a time.
type Source struct {
	o                Options
	lease            lease.Options
	read, done, bury *rueidis.Lua
	trouble          atomic.Pointer[string]
}

var (
	_ belfry.Source      = (*Source)(nil)
	_ belfry.BatchSource = (*Source)(nil)
	_ belfry.LagReporter = (*Source)(nil)
)

// New returns a source. It does not talk to Redis yet.
func New(o Options) (*Source, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	return &Source{o: o, lease: o.lease(), read: newScript("read"), done: newScript("done"), bury: newScript("bury")}, nil
}

func newScript(name string) *rueidis.Lua {
	text, err := scriptFiles.ReadFile("scripts/" + name + ".lua")
	if err != nil {
		panic(err) // embedded at build time
	}
	return rueidis.NewLuaScript(string(text))
}

// Run implements belfry.Source.
func (s *Source) Run(ctx context.Context, handle func(context.Context, *belfry.Record) error) error {
	return s.run(ctx, belfry.BatchLimit{}, func(ctx context.Context, r *reader, batch []*belfry.Record) error {
		for _, rec := range batch {
			if ctx.Err() != nil {
				return nil
			}
			if err := r.handOut(ctx, rec, handle); err != nil {
				return err
			}
		}
		return nil
	})
}

// RunBatches implements belfry.BatchSource.
func (s *Source) RunBatches(ctx context.Context, most belfry.BatchLimit, handle func(context.Context, []*belfry.Record) error) error {
	return s.run(ctx, most, func(ctx context.Context, r *reader, batch []*belfry.Record) error {
		return r.handOutBatch(ctx, batch, handle)
	})
}

func (s *Source) run(ctx context.Context, most belfry.BatchLimit, work work) error {
	return lease.Hold(ctx, s.lease, func(ctx context.Context, t *lease.Term) error {
		r := &reader{Source: s, term: t, most: most, after: "0", start: "0"}
		if s.o.New {
			r.start = "$"
		}
		r.run(ctx, work)
		return nil
	})
}

// Health reports whether entries can be read, and if not, why. It does not block. A
// node that does not have the lease has nothing to report.
func (s *Source) Health() (ok bool, reasons []string) {
	if why := s.trouble.Load(); why != nil {
		return false, []string{"source " + s.o.Stream + ": " + *why}
	}
	return true, nil
}

// well notes how the last command went.
func (s *Source) well(err error) {
	if err == nil {
		s.trouble.Store(nil)
		return
	}
	why := err.Error()
	if old := s.trouble.Swap(&why); old == nil || *old != why {
		s.o.Logger.Warn("source: stream cannot be read now", "stream", s.o.Stream, "err", err)
	}
}

var errFenced = errors.New("another node holds the lease")

// failure is the error of a script.
func failure(err error) error {
	if e, answered := rueidis.IsRedisErr(err); answered && strings.HasPrefix(strings.TrimPrefix(e.Error(), "ERR "), "FENCED") {
		return errFenced
	}
	return err
}

// pause waits until d is over or ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
