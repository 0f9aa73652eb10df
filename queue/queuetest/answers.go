package queuetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/seed-09a96375/belfry"
)

func checkAnswers(ctx context.Context, q Queue) error {
	type got struct {
		a   *belfry.Answer
		err error
	}
	early := make(chan got, 2)
	for range 2 { // two nodes
		go func() {
			a, err := q.Await(ctx, "id")
			early <- got{a, err}
		}()
	}
	wait(ctx)
	if err := q.Answer(ctx, "id", &belfry.Answer{Args: json.RawMessage(`[1,"two"]`)}); err != nil {
		return err
	}
	if err := q.Answer(ctx, "id", &belfry.Answer{Error: "late"}); !errors.Is(err, belfry.ErrAnswered) {
		return fmt.Errorf("answered once more: %v, want ErrAnswered", err)
	}
	for range 2 {
		if g := <-early; g.err != nil || string(g.a.Args) != `[1,"two"]` || g.a.Error != "" {
			return fmt.Errorf("awaited before: %+v, %v", g.a, g.err)
		}
	}
	if a, err := q.Await(ctx, "id"); err != nil || string(a.Args) != `[1,"two"]` {
		return fmt.Errorf("awaited after: %+v, %v", a, err)
	}
	for _, bad := range []*belfry.Answer{
		{Args: json.RawMessage(`{}`)}, {Args: json.RawMessage(`[`)}, {Args: json.RawMessage(`[]`), Error: "both"},
	} {
		if err := q.Answer(ctx, "bad", bad); err == nil || errors.Is(err, belfry.ErrAnswered) {
			return fmt.Errorf("the answer %+v: %v", bad, err)
		}
	}
	return nil
}

func checkHandlerAnswers(ctx context.Context, q Queue) error {
	for _, id := range []string{"good", "dead", "deaf"} {
		e := event(id)
		e.Reply = id != "deaf"
		if err := q.Append(ctx, e); err != nil {
			return err
		}
	}
	l := newLedger()
	c := consume(ctx, q, 1, "g", func(_ context.Context, d *belfry.Delivery) (*belfry.Answer, error) {
		l.add(d.ID)
		if d.ID == "dead" {
			return nil, &belfry.PoisonError{Reason: errors.New("secret")}
		}
		return &belfry.Answer{Args: d.Args}, nil
	}, quick())
	var good, dead *belfry.Answer
	var errGood, errDead error
	var both sync.WaitGroup
	both.Go(func() { good, errGood = q.Await(ctx, "good") })
	both.Go(func() { dead, errDead = q.Await(ctx, "dead") })
	both.Wait()
	err := errors.Join(errGood, errDead, l.await(ctx, 3), c.end())
	switch {
	case err != nil:
		return err
	case string(good.Args) != `[1]`:
		return fmt.Errorf("answer is %+v", good)
	case dead.Error == "" || dead.Error == "secret":
		return fmt.Errorf("answer of a dead letter is %+v", dead)
	}
	if err := q.Answer(ctx, "deaf", &belfry.Answer{}); err != nil {
		return fmt.Errorf("an event that wants no answer: %w", err)
	}
	return nil
}

func checkContexts(ctx context.Context, q Queue) error {
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := q.Await(ended, "nobody"); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("await: %v, want the error of the context", err)
	}
	if err := q.Append(ended, event("x")); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("append: %v, want the error of the context", err)
	}
	err := q.Consume(ended, "g", func(context.Context, *belfry.Delivery) (*belfry.Answer, error) {
		return nil, errors.New("handled after the end")
	}, quick())
	if err != nil {
		return fmt.Errorf("consume: %v, want nil", err)
	}
	return nil
}
