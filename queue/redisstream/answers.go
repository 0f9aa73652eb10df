package redisstream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry"
)

// pollEvery is how late an answer is at worst of which nothing was heard.
const pollEvery = time.Second

// Answer implements belfry.Answers.
func (q *Queue) Answer(ctx context.Context, id string, a *belfry.Answer) error {
	if err := checkID(id); err != nil {
		return err
	}
	text, err := encodeAnswer(a)
	if err != nil {
		return err
	}
	first, err := q.run(ctx, q.scripts.answer, []string{q.names.answer(id)}, text, millis(q.opts.Window)).AsInt64()
	if err != nil {
		return failure(ctx, "answer", err)
	}
	if first == 0 {
		return belfry.ErrAnswered
	}
	return nil
}

// Await implements belfry.Answers. An answer that is not what docs/queues.md says is
// an error.
func (q *Queue) Await(ctx context.Context, id string) (*belfry.Answer, error) {
	if err := checkID(id); err != nil {
		return nil, err
	}
	key := q.names.answer(id)
	heard, forget := q.waiters.add(ctx, key)
	defer forget()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for {
		text, err := q.client.Do(ctx, q.client.B().Get().Key(key).Build()).AsBytes()
		if err == nil {
			return decodeAnswer(text)
		}
		// A Redis that is away may be back before ctx ends.
		if verdictOf(err) == fatal && ctx.Err() == nil {
			return nil, failure(ctx, "await the answer", err)
		}
		select {
		case <-heard:
		case <-poll.C:
		case <-ctx.Done():
			if rueidis.IsRedisNil(err) {
				err = nil
			}
			return nil, errors.Join(fmt.Errorf("queue: await the answer: %w", ctx.Err()), err)
		}
	}
}

func encodeAnswer(a *belfry.Answer) (string, error) {
	text, err := json.Marshal(a)
	if err != nil {
		return "", fmt.Errorf("queue: encode the answer: %w", err)
	}
	if _, err := decodeAnswer(text); err != nil {
		return "", err
	}
	return string(text), nil
}

// decodeAnswer reads {"args":[…]} or {"error":"…"}.
func decodeAnswer(text []byte) (*belfry.Answer, error) {
	a := &belfry.Answer{}
	if err := json.Unmarshal(text, a); err != nil {
		return nil, fmt.Errorf("queue: the answer is not {\"args\":[…]} or {\"error\":\"…\"}: %w", err)
	}
	args := bytes.TrimSpace(a.Args)
	switch {
	case a.Error != "" && len(args) > 0:
		return nil, errors.New("queue: the answer has both args and an error")
	case bytes.Equal(args, []byte("null")):
		a.Args = nil
	case len(args) > 0 && args[0] != '[':
		return nil, errors.New("queue: args of the answer are not a JSON array")
	}
	return a, nil
}
