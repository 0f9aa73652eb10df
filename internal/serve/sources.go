package serve

import (
	"context"
	"fmt"
	"sync"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/internal/route"
	"github.com/seed-09a96375/belfry/source/redischannel"
	"github.com/seed-09a96375/belfry/source/redisstream"
)

// sources are those of a node, while it reads them. They have a connection of their
// own: what waits for news must not keep anything else waiting.
type sources struct {
	client rueidis.Client // nil: there are none
	opened []watched
	cancel context.CancelFunc
	all    sync.WaitGroup
}

// watched is a source that knows how it is.
type watched interface {
	belfry.Source
	Health() (ok bool, reasons []string)
}

// validateSources names what cannot work beyond what the router knows.
func (o Options) validateSources() (faults []error) {
	for i := range o.Routes.Sources {
		if o.Bus.URL == "" {
			faults = append(faults, fmt.Errorf("route: Options.Sources[%d] needs a Redis to read from: give redis.url", i))
		}
	}
	return faults
}

// openSources begins to read. If it fails nothing is left open.
func (n *node) openSources(ctx context.Context, router *route.Router) (*sources, error) {
	s := &sources{cancel: func() {}}
	if len(n.o.Routes.Sources) == 0 {
		return s, nil
	}
	conn, err := n.o.Bus.Connection()
	if err != nil {
		return nil, err
	}
	if s.client, err = conn.Open(ctx); err != nil {
		return nil, fmt.Errorf("open the sources: %w", err)
	}
	var life context.Context
	life, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	for _, o := range n.o.Routes.Sources {
		if err := n.openSource(life, s, router, o); err != nil {
			s.stop()
			return nil, fmt.Errorf("open source %s: %w", o.Name, err)
		}
	}
	return s, nil
}

func (n *node) openSource(ctx context.Context, s *sources, router *route.Router, o route.Source) error {
	handle, err := router.Handle(o.Name)
	if err != nil {
		return err
	}
	source, err := n.source(s.client, o)
	if err != nil {
		return err
	}
	s.opened = append(s.opened, source)
	s.all.Go(func() {
		if err := source.Run(ctx, handle); err != nil {
			n.log.Error("source ended", "source", o.Name, "err", err)
		}
	})
	return nil
}

func (n *node) source(client rueidis.Client, o route.Source) (watched, error) {
	node := string(n.o.Node)
	if node == "" {
		node = "belfry" // terms of leases have names of their own in any case
	}
	if o.Channel != "" {
		return redischannel.New(redischannel.Options{Client: client, Channel: o.Channel, Group: o.Group, Node: node, Logger: n.log})
	}
	return redisstream.New(redisstream.Options{
		Client: client, Stream: o.Stream, Group: o.Group, Node: node, Field: o.Field, New: o.New, Logger: n.log,
	})
}

// stop ends the sources and waits for what is under way. Other nodes go on.
func (s *sources) stop() {
	s.cancel()
	s.all.Wait()
	if s.client != nil {
		s.client.Close()
	}
}

// reasons are why nothing comes from sources that this node reads.
func (s *sources) reasons() (all []string) {
	for _, each := range s.opened {
		_, reasons := each.Health()
		all = append(all, reasons...)
	}
	return all
}
