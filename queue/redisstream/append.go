package redisstream

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/queue/consume"
)

const (
	pauseFirst   = 20 * time.Millisecond
	pauseLongest = 500 * time.Millisecond
)

// Append implements belfry.Queue. It waits for a Redis that is away up to
// Options.Wait. belfry.ErrInDoubt: the event may have been stored.
func (q *Queue) Append(ctx context.Context, e *belfry.Event) error {
	if err := checkID(e.ID); err != nil {
		return err
	}
	a := q.newAppend(e)
	limit := time.Now().Add(q.opts.Wait)
	for pause := pauseFirst; ; pause = min(2*pause, pauseLongest) {
		again, err := a.try(ctx)
		if !again || time.Now().Add(pause).After(limit) || !consume.Sleep(ctx, pause) {
			return err
		}
	}
}

// appending is one event that is appended, by one try or several.
type appending struct {
	q       *Queue
	mark    string // stands for the ID: whose it was
	keys    []string
	args    []string
	inDoubt bool // an earlier try may have been stored
}

func (q *Queue) newAppend(e *belfry.Event) *appending {
	a := &appending{q: q, mark: rand.Text()[:10], keys: []string{q.names.stream, q.names.id(e.ID)}}
	if e.Key != "" {
		a.keys = append(a.keys, q.names.key(e.Key))
	}
	a.args = make([]string, 0, 4+len(q.opts.Groups)+2*len(fieldNames))
	a.args = append(a.args, millis(q.opts.Window), a.mark, millis(q.opts.KeyWindow), strconv.Itoa(len(q.opts.Groups)))
	a.args = append(a.args, q.opts.Groups...)
	a.args = q.encode(a.args, e)
	return a
}

// try reports, with an error, whether there is reason to try again.
func (a *appending) try(ctx context.Context) (again bool, err error) {
	answer, err := a.q.run(ctx, a.q.scripts.append, a.keys, a.args...).AsStrSlice()
	v := verdictOf(err)
	switch {
	case v == done && len(answer) == 1, v == done && len(answer) == 2 && answer[1] == a.mark: // of an earlier try
		return false, nil
	case v == done:
		return false, belfry.ErrDuplicate
	case v == unknown:
		a.inDoubt = true
	}
	failed := failure(ctx, "append", err)
	if a.inDoubt && ctx.Err() == nil {
		failed = fmt.Errorf("queue: append: %w: %w", belfry.ErrInDoubt, err)
	}
	return v == unknown || v == refused, failed
}

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
