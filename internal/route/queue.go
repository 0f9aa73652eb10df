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

// enqueue appends the event to the queues of the route. One that was appended
// before is as good.
func (r *Router) enqueue(ctx context.Context, c *compiled, in *Incoming, e *belfry.Event) (Result, error) {
	res := Result{id: e.ID, timeout: c.route.Timeout}
	for _, to := range []struct {
		name, what string
		queues     map[string]belfry.Queue
	}{
		{c.route.Queue, "queue", r.links.Queues},
		{c.route.Webhook, "queue of the webhook", r.links.Webhooks},
		{c.route.Topic, "topic", r.links.Topics},
	} {
		if to.name == "" {
			continue
		}
		q := to.queues[to.name]
		queued := *e // a queue keeps it
		queued.Reply = e.Reply && to.what != "topic"
		answers, ok := q.(belfry.Answers)
		if queued.Reply && !ok {
			return res, &Error{Unavailable, "this queue has no answers", errors.New("queue " + to.name + " cannot answer")}
		}
		queued.Args = packet.Inline(e.Args, in.Attachments)
		if err := failure(to.what, q.Append(ctx, &queued)); err != nil {
			return res, err
		}
		if queued.Reply {
			res.answers = answers
		}
	}
	return res, nil
}
