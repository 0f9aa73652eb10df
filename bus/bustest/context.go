package bustest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
)

// checkPublishContext publishes to a room that is held up by a Deliver that does
// not end: a second message to it cannot be delivered.
func checkPublishContext(ctx context.Context, c *cluster) error {
	m := c.members[0]
	entered, release := make(chan struct{}), make(chan struct{})
	m.during(func(msg *belfry.Message) {
		if idOf(msg) == "stuck" {
			close(entered)
			<-release
		}
	})
	var stuck error
	var wg sync.WaitGroup
	defer wg.Wait()
	free := sync.OnceFunc(func() { close(release) })
	defer free()
	wg.Go(func() { stuck = m.link.Publish(ctx, event("stuck", to("room"))) })
	select {
	case <-entered:
	case <-ctx.Done():
		return errors.New("the message did not come")
	}
	if err := m.publishWithin(ctx, 100*time.Millisecond, event("behind", to("room"))); err != nil {
		return err
	}
	free()
	wg.Wait()
	if stuck != nil {
		return fmt.Errorf("the Publish that was held up: %w", stuck)
	}
	if _, err := c.everywhere(ctx, to("room")); err != nil {
		return err
	}
	if n := m.count("behind"); n > 1 {
		return fmt.Errorf("the message whose Publish failed came %d times", n)
	}
	return nil
}

// patience is how long after the end of its context a call may still run.
const patience = 5 * time.Second

// publishWithin must fail, and not long after d.
func (m *member) publishWithin(ctx context.Context, d time.Duration, msg *belfry.Message) error {
	short, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	result := make(chan error, 1)
	go func() { result <- m.link.Publish(short, msg) }()
	select {
	case err := <-result:
		if err == nil {
			return errors.New("Publish returned nil, its own Deliver cannot have run")
		}
		return nil
	case <-time.After(d + patience):
		return fmt.Errorf("Publish still blocks %v after its context ended", patience)
	}
}
