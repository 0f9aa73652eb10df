package redis

import (
	"context"
	"testing"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry"
)

// idle is a node that does nothing.
type idle struct{}

func (idle) ID() belfry.NodeID       { return "idle" }
func (idle) Deliver(*belfry.Message) {}
func (idle) Replied(*belfry.Reply)   {}

// What comes on a connection that is being given up, when the feed is behind, is
// queued without a hole: up to some message, and nothing after it.
func TestNoHoleInWhatIsQueued(t *testing.T) {
	l := newLink(&Bus{opts: Options{}.withDefaults(), names: newNames("test:")}, idle{})
	ctx, giveUp := context.WithCancel(t.Context())
	take := func(text string) {
		l.feed.take(ctx, 1, rueidis.PubSubMessage{Channel: "test:{0}:all", Message: text})
	}
	for range queueSize {
		take("fits")
	}
	dropped := make(chan struct{})
	go func() {
		take("does not fit")
		close(dropped)
	}()
	giveUp()
	<-dropped
	<-l.feed.queue // the feed goes on
	take("comes later")
	for range queueSize - 1 {
		if e := <-l.feed.queue; e.payload != "fits" {
			t.Fatalf("%q was queued", e.payload)
		}
	}
	if n := len(l.feed.queue); n > 0 {
		t.Errorf("%q was queued behind the hole", (<-l.feed.queue).payload)
	}
}
