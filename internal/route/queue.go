package route

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/socketio/packet"
)

// Result is what has become of an event.
type Result struct {
	id      string
	answers belfry.Answers // nil: there is no answer to wait for
	timeout time.Duration
	counts  *counters // of the route
}

// Waits reports whether the ack is the answer of a backend, to be had from Await.
func (r Result) Waits() bool { return r.answers != nil }

// ID is what the event is called in queues.
func (r Result) ID() string { return r.id }

// Await returns the arguments of the ack, a JSON array: those that a backend
// answers, none if the ack does not wait for one. Any error is an *Error. It blocks
// no longer than ctx, and than the route's Timeout.
func (r Result) Await(ctx context.Context) (json.RawMessage, error) {
	if r.answers == nil {
		return noArgs, nil
	}
	args, err := r.await(ctx)
	r.counts.awaited(err)
	return args, err
}

func (r Result) await(ctx context.Context) (json.RawMessage, error) {
	bounded, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	a, err := r.answers.Await(bounded, r.id)
	switch {
	case err == nil:
		return answered(a)
	case bounded.Err() != nil:
		message := fmt.Sprintf("no backend has answered within %v; the event is in the queue: repeat it with the same id to get the answer", r.timeout)
		return nil, &Error{Timeout, message, err}
	}
	return nil, &Error{Timeout, "the answer cannot be had now; the event is in the queue: repeat it with the same id to get the answer", err}
}

func answered(a *belfry.Answer) (json.RawMessage, error) {
	args := bytes.TrimSpace(a.Args)
	switch {
	case a.Error != "":
		return nil, &Error{Code: Rejected, Message: a.Error}
	case len(args) == 0:
		return noArgs, nil
	case !isArray(args) || !validJSON(args):
		return nil, &Error{Code: Rejected, Message: "the backend's answer is not a JSON array"}
	}
	return args, nil
}

// target is a queue that an event is appended to.
type target struct {
	kind       kind
	what, name string
	queue      belfry.Queue
	answers    bool // it may have them
}

type kind uint8

const (
	toQueue kind = iota
	toWebhook
	toTopic
	toArchive
)

func (r *Router) queueOf(name string) target {
	return target{toQueue, "queue", name, r.links.Queues[name], true}
}

func (r *Router) topicOf(name string) target {
	return target{toTopic, "topic", name, r.links.Topics[name], false}
}

func (r *Router) archive() target { return target{toArchive, "archive", "", r.links.Archive, false} }

// targets are those of a route.
func (r *Router) targets(c *compiled) (all []target) {
	if name := c.route.Queue; name != "" {
		all = append(all, r.queueOf(name))
	}
	if name := c.route.Webhook; name != "" {
		all = append(all, target{toWebhook, "queue of the webhook", name, r.links.Webhooks[name], true})
	}
	if name := c.route.Topic; name != "" {
		all = append(all, r.topicOf(name))
	}
	if c.route.Archive {
		all = append(all, r.archive())
	}
	return all
}

// link gives the rules their targets.
func (r *Router) link() {
	for _, k := range r.rules {
		if name := k.rule.Queue; name != "" {
			k.targets = append(k.targets, r.queueOf(name))
		}
		if name := k.rule.Topic; name != "" {
			k.targets = append(k.targets, r.topicOf(name))
		}
		if k.rule.Archive {
			k.targets = append(k.targets, r.archive())
		}
	}
}

// enqueue appends the event to the queues of the route. One that was appended
// before is as good.
func (r *Router) enqueue(ctx context.Context, c *compiled, in *Incoming, e *belfry.Event) (Result, error) {
	res := Result{id: e.ID, timeout: c.route.Timeout, counts: &c.counters}
	for _, to := range r.targets(c) {
		queued := *e // a queue keeps it
		queued.Reply = e.Reply && to.answers
		answers, ok := to.queue.(belfry.Answers)
		if queued.Reply && !ok {
			return res, &Error{Unavailable, "this queue has no answers", errors.New("queue " + to.name + " cannot answer")}
		}
		queued.Args = packet.Inline(e.Args, in.Attachments)
		if err := failure(to.what, to.queue.Append(ctx, &queued)); err != nil {
			return res, err
		}
		if queued.Reply {
			res.answers = answers
		}
	}
	return res, nil
}
