package memory

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seed-09a96375/belfry"
)

// Answer implements belfry.Answers.
func (q *Queue) Answer(ctx context.Context, id string, a *belfry.Answer) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := checkAnswer(a); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.answer(id, a)
}

func checkAnswer(a *belfry.Answer) error {
	args := bytes.TrimSpace(a.Args)
	switch {
	case a.Error != "" && len(args) > 0:
		return errors.New("queue: the answer has both args and an error")
	case len(args) > 0 && (args[0] != '[' || !json.Valid(args)):
		return errors.New("queue: args of the answer are not a JSON array")
	}
	return nil
}

// answer is Answer under the lock.
func (q *Queue) answer(id string, a *belfry.Answer) error {
	now := time.Now()
	if _, given := q.answers.get(now, id); given {
		return belfry.ErrAnswered
	}
	q.answers.put(now.Add(q.opts.Window), id, a)
	if c := q.waiting[id]; c != nil {
		close(c)
		delete(q.waiting, id)
	}
	return nil
}

// Await implements belfry.Answers.
func (q *Queue) Await(ctx context.Context, id string) (*belfry.Answer, error) {
	for {
		a, answered := q.look(id)
		if a != nil {
			return a, nil
		}
		select {
		case <-answered:
		case <-ctx.Done():
			q.forget(id, answered)
			return nil, fmt.Errorf("queue: await the answer: %w", ctx.Err())
		}
	}
}

func (q *Queue) look(id string) (*belfry.Answer, chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if a, given := q.answers.get(time.Now(), id); given {
		return a, nil
	}
	c := q.waiting[id]
	if c == nil {
		c = make(chan struct{})
		q.waiting[id] = c
	}
	return nil, c
}

// forget wakes others that wait for the same: they look again.
func (q *Queue) forget(id string, c chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.waiting[id] == c {
		close(c)
		delete(q.waiting, id)
	}
}

// Dead is an event that became a dead letter.
type Dead struct {
	belfry.Event
	Group  string
	Reason string
	Tries  int
	Time   time.Time
}

// Dead returns the dead letters, the oldest first.
func (q *Queue) Dead() []Dead {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.dead)
}

// Replay puts all dead letters back, each for the group in which it died. It
// returns how many: those for which there is no room stay.
func (q *Queue) Replay() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for _, d := range q.dead {
		if !q.room(&d.Event) {
			break
		}
		q.add(event{Event: d.Event, after: -1, only: d.Group})
		n++
	}
	q.dead = slices.Delete(q.dead, 0, n)
	return n
}
