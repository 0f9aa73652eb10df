package serve

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/internal/route"
	"github.com/seed-09a96375/belfry/source/redischannel"
	"github.com/seed-09a96375/belfry/source/redisstream"
)

// sources are those of a node, while it reads them. The zero value has none.
type sources struct {
	all     []*reading
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// source is one that knows how it is, and hands out many records at once: those that
// wait are published together.
type source interface {
	belfry.BatchSource
	Health() (ok bool, reasons []string)
}

// reading is a source that this node reads, and what it has handled of it.
type reading struct {
	source
	name string

	published, dead, failed atomic.Uint64
}

// counts counts what handle says of records. One whose dead letter cannot be written
// counts again with the next try.
func (r *reading) counts(handle func(context.Context, []*belfry.Record) error) func(context.Context, []*belfry.Record) error {
	return func(ctx context.Context, records []*belfry.Record) error {
		err := handle(ctx, records)
		done, poison, rest := belfry.BatchVerdict(err, len(records))
		dead := 0
		for i := range poison {
			if i < done {
				dead++
			}
		}
		r.published.Add(uint64(done - dead))
		r.dead.Add(uint64(dead))
		if rest != nil && ctx.Err() == nil {
			r.failed.Add(1)
		}
		return err
	}
}

// validateSources names what cannot work beyond what the router knows.
func (o Options) validateSources() (faults []error) {
	for i, s := range o.Routes.Sources {
		if o.Bus.URL == "" && s.Topic == "" {
			faults = append(faults, fmt.Errorf("route: Options.Sources[%d] needs a Redis to read from: give redis.url", i))
		}
	}
	return faults
}

// runSources begins to read. If it fails nothing runs.
func (n *node) runSources(ctx context.Context, router *route.Router) error {
	s := &n.sources
	ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	for _, o := range n.o.Routes.Sources {
		if err := n.runSource(ctx, router, o); err != nil {
			n.stopSources()
			return fmt.Errorf("open source %s: %w", o.Name, err)
		}
	}
	return nil
}

func (n *node) runSource(ctx context.Context, router *route.Router, o route.Source) error {
	handle, err := router.HandleBatch(o.Name)
	if err != nil {
		return err
	}
	one, err := n.source(ctx, o)
	if err != nil {
		return err
	}
	r := &reading{source: one, name: o.Name}
	n.sources.all = append(n.sources.all, r)
	n.sources.running.Go(func() {
		if err := one.RunBatches(ctx, belfry.BatchLimit{}, r.counts(handle)); err != nil {
			n.log.Error("source ended", "source", o.Name, "err", err)
		}
	})
	return nil
}

func (n *node) source(ctx context.Context, o route.Source) (source, error) {
	if o.Topic != "" {
		return n.topicSource(o)
	}
	client, err := n.queues.connect(ctx, n.o)
	if err != nil {
		return nil, err
	}
	node := string(n.o.Node)
	if node == "" {
		node = "belfry" // each term of a lease has a name of its own besides
	}
	if o.Channel != "" {
		return redischannel.New(redischannel.Options{Client: client, Channel: o.Channel, Group: o.Group, Node: node, MaxDead: o.MaxDead, Logger: n.log})
	}
	return redisstream.New(redisstream.Options{
		Client: client, Stream: o.Stream, Group: o.Group, Node: node, Field: o.Field, KeyField: o.KeyField, New: o.New, MaxDead: o.MaxDead, Logger: n.log,
	})
}

// stopSources ends them and waits for the records under way. Other nodes go on.
func (n *node) stopSources() {
	if n.sources.cancel != nil {
		n.sources.cancel()
	}
	n.sources.running.Wait()
}

// sourceTrouble is why nothing comes from sources that this node reads.
func (n *node) sourceTrouble() (all []string) {
	for _, each := range n.sources.all {
		_, reasons := each.Health()
		all = append(all, reasons...)
	}
	return all
}
