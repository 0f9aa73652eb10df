package httpapi

import (
	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/auth"
)

// answer is what a backend says to the event of a client.
type answer struct {
	id, err string
	args    []byte
}

func replyObject() *object[answer] {
	return &object[answer]{
		name: "Reply", doc: "The answer to an event: args or error",
		fields: []field[answer]{
			must(text("id", "of the event", belfry.MaxID, func(a *answer) *string { return &a.id }, nil)),
			values("args", "of the ack", func(a *answer) *[]byte { return &a.args }),
			text("error", "what went wrong, for the client", maxError, func(a *answer) *string { return &a.err }, nil),
		},
		check: func(r *reader, a *answer) {
			if (a.err == "") == (a.args == nil) {
				r.fault("must have either args or error")
			}
		},
	}
}

func reply(c *call, in *answer) ([]byte, error) {
	if err := c.needAll(auth.Publish); err != nil {
		return nil, err
	}
	if c.api.o.Answers == nil {
		return nil, newProblem(NotSupported, "this node has no queue, so that there are no events to answer: see queues of the configuration")
	}
	ctx, cancel := c.api.bounded(c.r.Context())
	defer cancel()
	if err := c.api.o.Answers.Answer(ctx, in.id, &belfry.Answer{Args: in.args, Error: in.err}); err != nil {
		return nil, err
	}
	return []byte("{}\n"), nil
}
