package serve

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/queue/memory"
	"github.com/seed-09a96375/belfry/queue/redisstream"
)

// Queue is where routes bring events of clients for backends: a Redis Stream in the
// Redis that joins the nodes. docs/queues.md says how backends read it.
type Queue struct {
	// Name is what routes call it.
	Name string
	// Key of the stream. Default: the prefix of the bus, and queue:{Name}.
	Key string
	// Groups are made if they are missing, and nothing is trimmed that one of them
	// has not acknowledged.
	Groups []string
	// Window is how long ids of events and answers are remembered. Default 5 minutes.
	Window time.Duration
	// KeyWindow is how long it is remembered which event was the last of a key; see
	// redisstream.Options.
	KeyWindow time.Duration
	// Wait is how long a client's event waits for a Redis that is away. Default 5 s.
	Wait time.Duration
	// MaxDead is about how many dead letters are kept; negative: all. Default 100,000.
	MaxDead int
	// MaxLength is about how many entries are kept without groups. Default 100,000.
	MaxLength int
	// Alarm is what the log warns of; see redisstream.Alarm.
	Alarm redisstream.Alarm
}

func (q Queue) options(o Options) redisstream.Options {
	return redisstream.Options{
		Name: q.Name, Key: q.Key, Prefix: o.Bus.Prefix, Groups: q.Groups, Window: q.Window,
		KeyWindow: q.KeyWindow, Wait: q.Wait, MaxDead: q.MaxDead,
		MaxLength: q.MaxLength, Alarm: q.Alarm, Logger: o.Logger,
	}
}

// validateQueues names what cannot work, each queue by its place.
func (o Options) validateQueues() (faults []error) {
	names := make(map[string]bool)
	for i, q := range o.Queues {
		at := fmt.Sprintf("serve: Options.Queues[%d]", i)
		if q.Name == "" || names[q.Name] {
			faults = append(faults, fmt.Errorf("%s.Name is %q: must be a name that no other queue has", at, q.Name))
		}
		names[q.Name] = true
		if o.Bus.URL == "" {
			faults = append(faults, fmt.Errorf("%s needs a Redis, where backends can read it: give redis.url", at))
			continue
		}
		check := q.options(o)
		check.Redis.URL = "redis://127.0.0.1" // the bus says what is wrong with its own
		if err := check.Validate(); err != nil && q.Name != "" {
			option, _ := strings.CutPrefix(err.Error(), "redisstream: Options")
			faults = append(faults, errors.New(at+option))
		}
	}
	return faults
}

func (o Options) queueNames() []string {
	var names []string
	for _, q := range o.Queues {
		names = append(names, q.Name)
	}
	return names
}

// queue is what those of this node can.
type queue interface {
	belfry.Queue
	belfry.Answers
	belfry.Consumer
}

// queues are those of a node, on one connection.
type queues struct {
	client rueidis.Client // nil: none is needed
	probe  *probe         // nil: there is no client
	opened []*redisstream.Queue
	byName map[string]queue
	// counted are the same, in the order in which they were opened.
	counted []*counted
}

func (q *queues) put(c *counted) {
	q.byName[c.name] = c
	q.counted = append(q.counted, c)
}

// openQueues connects. If it fails nothing is left open.
func (n *node) openQueues(ctx context.Context) (*queues, error) {
	q := &queues{byName: make(map[string]queue)}
	for _, each := range n.o.Queues {
		if err := q.add(ctx, n.o, each); err != nil {
			q.close()
			return nil, err
		}
	}
	return q, nil
}

// add opens a queue, in memory if the node is alone.
func (q *queues) add(ctx context.Context, o Options, each Queue) error {
	if o.Bus.URL == "" {
		alone, err := memory.New(memory.Options{Groups: each.Groups, Window: each.Window, Logger: o.Logger})
		if err != nil {
			return fmt.Errorf("make queue %s: %w", each.Name, err)
		}
		q.put(&counted{name: each.Name, queue: alone, memory: alone})
		return nil
	}
	client, err := q.connect(ctx, o)
	if err != nil {
		return err
	}
	options := each.options(o)
	options.Client = client
	opened, err := redisstream.New(ctx, options)
	if err != nil {
		return fmt.Errorf("open queue %s: %w", each.Name, err)
	}
	q.opened = append(q.opened, opened)
	q.put(&counted{name: each.Name, queue: opened, redis: opened})
	return nil
}

// connect returns the connection that queues and sources share.
func (q *queues) connect(ctx context.Context, o Options) (rueidis.Client, error) {
	if q.client != nil {
		return q.client, nil
	}
	conn, err := o.Bus.Connection()
	if err != nil {
		return nil, err
	}
	if q.client, err = conn.Open(ctx); err != nil {
		return nil, fmt.Errorf("open the queues: %w", err)
	}
	q.probe = newProbe(q.client)
	return q.client, nil
}

// close follows the end of all who use the queues.
func (q *queues) close() {
	for _, each := range q.opened {
		each.Close()
	}
	if q.client != nil {
		q.probe.close()
		q.client.Close()
	}
}

// reasons are why events of clients cannot be queued here.
func (q *queues) reasons() []string {
	if q.probe == nil {
		return nil
	}
	return q.probe.reasons()
}

// links are the queues as routes want them.
func (q *queues) links() map[string]belfry.Queue {
	all := make(map[string]belfry.Queue, len(q.byName))
	for name, each := range q.byName {
		all[name] = each
	}
	return all
}

// answers takes the answers of backends that call the HTTP API, nil without a queue.
func (q *queues) answers() belfry.Answers {
	if len(q.byName) == 0 {
		return nil
	}
	return allQueues(slices.Collect(maps.Values(q.byName)))
}

// allQueues are answered at once: backends name events, not queues. Ids are unique,
// and an answer that nobody waits for is forgotten after a while.
type allQueues []queue

// Answer implements belfry.Answers.
func (a allQueues) Answer(ctx context.Context, id string, answer *belfry.Answer) error {
	var errs []error
	for _, q := range a {
		errs = append(errs, q.Answer(ctx, id, answer))
	}
	return errors.Join(errs...)
}

// Await implements belfry.Answers: each of them gets all answers.
func (a allQueues) Await(ctx context.Context, id string) (*belfry.Answer, error) {
	return a[0].Await(ctx, id)
}

func (o Options) webhookNames() []string {
	var names []string
	for _, w := range o.Webhooks {
		names = append(names, w.Name)
	}
	return names
}
