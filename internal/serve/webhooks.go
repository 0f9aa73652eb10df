package serve

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/queue/redisstream"
	"github.com/seed-09a96375/belfry/queue/webhook"
)

// webhooks are those of a node, while it sends.
type webhooks struct {
	byName map[string]belfry.Queue // for routes: what each consumes
	hooks  []*webhook.Webhook
	cancel context.CancelFunc
	all    sync.WaitGroup
}

// ownQueue is what the queue of a webhook without a configured one is called.
func ownQueue(name string) string { return "webhook-" + name }

// validateWebhooks names what cannot work, each webhook by its place.
func (o Options) validateWebhooks(all []webhook.Options) (faults []error) {
	names := make(map[string]bool)
	for i, w := range all {
		at := fmt.Sprintf("serve: Options.Webhooks[%d]", i)
		if many, ok := w.Validate().(interface{ Unwrap() []error }); ok {
			for _, err := range many.Unwrap() {
				option, _ := strings.CutPrefix(err.Error(), "webhook: Options")
				faults = append(faults, errors.New(at+option))
			}
		}
		if names[w.Name] {
			faults = append(faults, fmt.Errorf("%s.Name is %q: another webhook has it", at, w.Name))
		}
		names[w.Name] = true
		if w.Queue != "" && !slices.Contains(o.queueNames(), w.Queue) {
			faults = append(faults, fmt.Errorf("%s.Queue is %q: there is no queue of that name", at, w.Queue))
		}
		if o.Bus.URL == "" {
			faults = append(faults, fmt.Errorf("%s needs a Redis, where events wait for it: give redis.url", at))
		}
	}
	return faults
}

func webhookNames(all []webhook.Options) (names []string) {
	for _, w := range all {
		names = append(names, w.Name)
	}
	return names
}

// openWebhooks begins to send. Queues that webhooks have for themselves become part
// of n.queues, which has a connection if there is any webhook.
func (n *node) openWebhooks(ctx context.Context, all []webhook.Options) (*webhooks, error) {
	w := &webhooks{byName: make(map[string]belfry.Queue)}
	var life context.Context
	life, w.cancel = context.WithCancel(context.WithoutCancel(ctx))
	for _, o := range all {
		if err := n.openWebhook(ctx, life, w, o); err != nil {
			w.stop()
			return nil, fmt.Errorf("open webhook %s: %w", o.Name, err)
		}
	}
	return w, nil
}

func (n *node) openWebhook(ctx, life context.Context, w *webhooks, o webhook.Options) error {
	o.Logger = n.log
	q := n.queues.byName[o.Queue]
	if o.Queue == "" {
		opened, err := redisstream.New(ctx, redisstream.Options{
			Client: n.queues.client, Prefix: n.o.Bus.Prefix, Name: ownQueue(o.Name), Groups: []string{o.Completed().Group}, Logger: n.log,
		})
		if err != nil {
			return err
		}
		n.queues.opened = append(n.queues.opened, opened)
		q = opened
	}
	consumer, ok := q.(belfry.Consumer)
	if !ok {
		return fmt.Errorf("queue %q cannot be consumed", o.Queue)
	}
	hook, err := webhook.New(o)
	if err != nil {
		return err
	}
	w.byName[o.Name] = q
	w.hooks = append(w.hooks, hook)
	w.all.Go(func() {
		if err := hook.Run(life, consumer); err != nil {
			n.log.Error("webhook ended", "webhook", o.Name, "err", err)
		}
	})
	return nil
}

// stop ends the webhooks and waits for the requests under way. Other nodes go on.
func (w *webhooks) stop() {
	w.cancel()
	w.all.Wait()
	for _, h := range w.hooks {
		h.Close()
	}
}
