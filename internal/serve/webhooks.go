package serve

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/seed-09a96375/belfry/queue/webhook"
)

// webhooks are those of a node, while it sends. The zero value has none.
type webhooks struct {
	all     []*webhook.Webhook
	queues  []queue // what each consumes
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// validateWebhooks names what cannot work, each webhook by its place.
func (o Options) validateWebhooks() (faults []error) {
	names := make(map[string]bool)
	for i, w := range o.Webhooks {
		at := fmt.Sprintf("serve: Options.Webhooks[%d]", i)
		if many, ok := w.Validate().(interface{ Unwrap() []error }); ok {
			for _, err := range many.Unwrap() {
				faults = append(faults, errors.New(at+strings.TrimPrefix(err.Error(), "webhook: Options")))
			}
		}
		if names[w.Name] {
			faults = append(faults, fmt.Errorf("%s.Name is %q: another webhook has it", at, w.Name))
		}
		names[w.Name] = true
		known := slices.Contains(o.queueNames(), w.Completed().Queue)
		switch {
		case w.Queue != "" && !known:
			faults = append(faults, fmt.Errorf("%s.Queue is %q: there is no queue of that name", at, w.Queue))
		case w.Queue == "" && known:
			faults = append(faults, fmt.Errorf("%s.Name is %q: a queue has that name; to send its events give queue, too", at, w.Name))
		}
	}
	return faults
}

// openWebhooks makes the webhooks, and the queues that they have for themselves. What
// it opens n.queues closes.
func (n *node) openWebhooks(ctx context.Context) error {
	for _, o := range n.o.Webhooks {
		o.Logger, o.Observe = n.log, n.meters.webhook
		full := o.Completed()
		if o.Queue == "" {
			if err := n.queues.add(ctx, n.o, Queue{Name: full.Queue, Groups: []string{full.Group}}); err != nil {
				return fmt.Errorf("open webhook %s: %w", o.Name, err)
			}
		}
		w, err := webhook.New(o)
		if err != nil {
			return fmt.Errorf("open webhook %s: %w", o.Name, err)
		}
		n.webhooks.all = append(n.webhooks.all, w)
		n.webhooks.queues = append(n.webhooks.queues, n.queues.byName[full.Queue])
	}
	return nil
}

// runWebhooks begins to send.
func (n *node) runWebhooks(ctx context.Context) {
	w := &n.webhooks
	ctx, w.cancel = context.WithCancel(context.WithoutCancel(ctx))
	for i, each := range w.all {
		w.running.Go(func() {
			if err := each.Run(ctx, w.queues[i]); err != nil {
				n.log.Error("webhook ended", "webhook", n.o.Webhooks[i].Name, "err", err)
			}
		})
	}
}

// stopWebhooks ends them and waits for the requests under way. Other nodes go on.
func (n *node) stopWebhooks() {
	w := &n.webhooks
	if w.cancel != nil {
		w.cancel()
	}
	w.running.Wait()
	for _, each := range w.all {
		each.Close()
	}
}
