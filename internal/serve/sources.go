package serve

import (
	"context"
	"fmt"
	"sync"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/internal/route"
	"github.com/seed-09a96375/belfry/source/redischannel"
	"github.com/seed-09a96375/belfry/source/redisstream"
)

// sources are those of a node, while it reads them. The zero value has none.
type sources struct {
	all     []source
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// source is one that knows how it is.
type source interface {
	belfry.Source
	Health() (ok bool, reasons []string)
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
	handle, err := router.Handle(o.Name)
	if err != nil {
		return err
	}
	one, err := n.source(ctx, o)
	if err != nil {
		return err
	}
	n.sources.all = append(n.sources.all, one)
	n.sources.running.Go(func() {
		if err := one.Run(ctx, handle); err != nil {
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
		return redischannel.New(redischannel.Options{Client: client, Channel: o.Channel, Group: o.Group, Node: node, Logger: n.log})
	}
	return redisstream.New(redisstream.Options{
		Client: client, Stream: o.Stream, Group: o.Group, Node: node, Field: o.Field, New: o.New, Logger: n.log,
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
