package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/queue/consume"
)

type (
	// ConsumeOptions configures Consume; see belfry.ConsumeOptions. The zero value
	// means the defaults.
	ConsumeOptions = belfry.ConsumeOptions
	// PoisonError, from a handler, makes the event a dead letter at once.
	PoisonError = belfry.PoisonError
	// RetryError, from a handler, says when to try again.
	RetryError = belfry.RetryError
)

// Delivery is an event that is handled. It belongs to its handler, until that
// returns.
type Delivery struct {
	*belfry.Delivery
	with [][]string
}

// Also has a Redis command run in one step with the record that the event was
// handled: exactly once, whatever crashes. It takes effect if the handler returns
// nil. A command that Redis refuses fails the try, and none before it must change
// anything that matters then: Redis does not undo them. In a Redis Cluster its keys
// must be in the slot of the queue, as {NAME} is for the queue NAME.
func (d *Delivery) Also(command ...string) { d.with = append(d.with, command) }

// Handler handles an event. After nil the event is done with; after an error it
// comes again. The answer goes to the client, if that waits for one: nil is none,
// Args are several arguments, an error is what went wrong, anything else is one
// argument, as encoding/json encodes it.
type Handler func(ctx context.Context, d *Delivery) (answer any, err error)

// Args are the arguments of an answer.
type Args []any

// Typed makes a Handler of a function that takes the first argument of the event as
// an A. An event whose argument is no A is a dead letter.
func Typed[A any](h func(ctx context.Context, d *Delivery, arg A) (answer any, err error)) Handler {
	return func(ctx context.Context, d *Delivery) (any, error) {
		var arg A
		if err := decodeFirst(d.Args, &arg); err != nil {
			return nil, &PoisonError{Reason: err}
		}
		return h(ctx, d, arg)
	}
}

func decodeFirst(args json.RawMessage, into any) error {
	var all []json.RawMessage
	if len(args) > 0 {
		if err := json.Unmarshal(args, &all); err != nil {
			return fmt.Errorf("arguments are no array: %w", err)
		}
	}
	if len(all) == 0 {
		return errors.New("the event has no argument")
	}
	if err := json.Unmarshal(all[0], into); err != nil {
		return fmt.Errorf("first argument: %w", err)
	}
	return nil
}

// Consume handles the events that wait in a group of a queue until ctx ends. Then it
// lets the handlers that run come to an end, and returns nil. A queue is named as in
// Belfry's configuration; "key:NAME" is the stream at the key NAME. The package says
// what is promised, belfry.Consumer and belfry.ConsumeOptions the rest.
func (c *Client) Consume(ctx context.Context, queue, group string, h Handler, o ConsumeOptions) error {
	q, err := c.queue(ctx, queue)
	if err != nil {
		return err
	}
	return q.ConsumeWith(ctx, group, func(ctx context.Context, bd *belfry.Delivery) (consume.Result, error) {
		d := &Delivery{Delivery: bd}
		answer, err := h(ctx, d)
		if err != nil {
			return consume.Result{}, err
		}
		a, err := encodeAnswer(answer)
		return consume.Result{Answer: a, With: d.with}, err
	}, o)
}

// keyOf returns the key that the name of a queue stands for, if it does.
func keyOf(queue string) (string, bool) { return strings.CutPrefix(queue, "key:") }

func encodeAnswer(answer any) (*belfry.Answer, error) {
	switch a := answer.(type) {
	case nil:
		return nil, nil
	case *belfry.Answer:
		return a, nil
	case error:
		return &belfry.Answer{Error: a.Error()}, nil
	case Args:
		return encodeArgs([]any(a))
	}
	return encodeArgs([]any{answer})
}

func encodeArgs(args []any) (*belfry.Answer, error) {
	text, err := json.Marshal(args)
	if err != nil {
		return nil, fmt.Errorf("client: encode the answer: %w", err)
	}
	return &belfry.Answer{Args: text}, nil
}
