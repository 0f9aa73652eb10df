package serve

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry"
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
	// MaxLength is about how many entries are kept without groups. Default 100,000.
	MaxLength int
	// Alarm is what the log warns of; see redisstream.Alarm.
	Alarm redisstream.Alarm
}

func (q Queue) options(o Options) redisstream.Options {
	return redisstream.Options{
		Name: q.Name, Key: q.Key, Prefix: o.Bus.Prefix, Groups: q.Groups, Window: q.Window,
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
		check.Redis.URL = o.Bus.URL
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

// queues are those of a node, on one connection. The zero value has none.
type queues struct {
	client rueidis.Client // nil: none is needed
	opened []*redisstream.Queue
	byName map[string]belfry.Queue
	probe  *probe
}

// openQueues connects. If it fails nothing is left open.
func (n *node) openQueues(ctx context.Context) (*queues, error) {
	q := &queues{byName: make(map[string]belfry.Queue)}
	if len(n.o.Queues) == 0 {
		return q, nil
	}
	conn, err := n.o.Bus.Connection()
	if err != nil {
		return nil, err
	}
	if q.client, err = conn.Open(ctx); err != nil {
		return nil, fmt.Errorf("open the queues: %w", err)
	}
	q.probe = newProbe(q.client)
	for _, each := range n.o.Queues {
		o := each.options(n.o)
		o.Client, o.Logger = q.client, n.log
		opened, err := redisstream.New(ctx, o)
		if err != nil {
			q.close()
			return nil, fmt.Errorf("open queue %s: %w", each.Name, err)
		}
		q.opened = append(q.opened, opened)
		q.byName[each.Name] = opened
	}
	return q, nil
}

// close follows the end of all who use the queues.
func (q *queues) close() {
	for _, each := range q.opened {
		each.Close()
	}
	if q.probe != nil {
		q.probe.close()
	}
	if q.client != nil {
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

// answers takes the answers of backends that call the HTTP API, nil without a queue.
// They name events, not queues: ids are unique, and an answer that nobody waits for
// is forgotten after a while.
func (q *queues) answers() belfry.Answers {
	if len(q.opened) == 0 {
		return nil
	}
	return allQueues(q.opened)
}

type allQueues []*redisstream.Queue

// Answer implements belfry.Answers.
func (a allQueues) Answer(ctx context.Context, id string, answer *belfry.Answer) error {
	var errs []error
	for _, q := range a {
		errs = append(errs, q.Answer(ctx, id, answer))
	}
	return errors.Join(errs...)
}

// Await implements belfry.Answers.
func (a allQueues) Await(ctx context.Context, id string) (*belfry.Answer, error) {
	return a[0].Await(ctx, id) // Answer gives it to all
}
