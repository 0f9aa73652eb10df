package orders

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-09a96375/belfry/client"
)

// Backend handles events. Several share a group: each event goes to one of them.
type Backend struct {
	// Name tells it from others. Required.
	Name string
	// Client has the queues, and the API to publish by. Required; it stays the
	// caller's.
	Client *client.Client
	// Concurrency is how many events it takes at once. Default 4: the less, the more
	// evenly backends share.
	Concurrency int
	// Every is the time between signs of life. Default 5 s.
	Every time.Duration
	// Logger gets what goes wrong. Default slog.Default().
	Logger *slog.Logger

	handled atomic.Int64
}

// reclaimAfter is when others take what a backend that died has left.
const reclaimAfter = 10 * time.Second

// Handled is what a backend tells of an event that it has handled.
type Handled struct {
	Backend string `json:"backend"`
	Event   string `json:"event"`
	ID      string `json:"id"`
	Text    string `json:"text"`
	Tries   int    `json:"tries"` // more than 1: another may have begun it
}

// Alive is the sign of life of a backend.
type Alive struct {
	Backend string `json:"backend"`
	Handled int64  `json:"handled"` // events, since it runs
}

// Run handles events until ctx ends, which is no error, or it cannot go on.
func (b *Backend) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	work := []func(context.Context) error{
		func(ctx context.Context) error { return b.consume(ctx, Events, b.event) },
		func(ctx context.Context) error { return b.consume(ctx, Greetings, b.greet) },
		b.live,
	}
	errs := make([]error, len(work))
	var all sync.WaitGroup
	for i, run := range work {
		all.Go(func() {
			defer cancel() // one that ends ends all
			errs[i] = run(ctx)
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

func (b *Backend) consume(ctx context.Context, queue string, h client.Handler) error {
	at := b.Concurrency
	if at == 0 {
		at = 4
	}
	return b.Client.Consume(ctx, queue, Group, h, client.ConsumeOptions{
		Concurrency: at, Prefetch: at, Dedup: 5 * time.Minute, ReclaimAfter: reclaimAfter,
	})
}

// event handles what is in TEST_EVENT_TO_BACKEND.
func (b *Backend) event(ctx context.Context, d *client.Delivery) (any, error) {
	switch d.Name {
	case "order":
		return b.order(ctx, d)
	case "test":
		var text string
		if err := first(d.Args, &text); err != nil {
			return nil, &client.PoisonError{Reason: err}
		}
		return nil, b.tell(ctx, d, text)
	case "": // appended by another than Belfry, with a field of its own
		if text := d.Fields["message"]; text != "" {
			return nil, b.tell(ctx, d, text)
		}
	}
	return nil, &client.PoisonError{Reason: fmt.Errorf("event %q is not known here", d.Name)}
}

func (b *Backend) greet(ctx context.Context, d *client.Delivery) (any, error) {
	var name string
	if err := first(d.Args, &name); err != nil {
		return nil, &client.PoisonError{Reason: err}
	}
	text := fmt.Sprintf("Hello, %s! This is %s.", name, b.Name)
	if err := b.publish(ctx, RoomGreetings, idOf("greeting", d), text); err != nil {
		return nil, err
	}
	return nil, b.tell(ctx, d, name)
}

// tell counts an event and shows it to who watches. Its id makes repetitions
// harmless: a try that failed after it does not show the event twice.
func (b *Backend) tell(ctx context.Context, d *client.Delivery, text string) error {
	event := d.Name
	if event == "" {
		event = "test"
	}
	told, err := json.Marshal(Handled{Backend: b.Name, Event: event, ID: nameOf(d), Text: text, Tries: d.Tries})
	if err != nil {
		return err
	}
	if err := b.publish(ctx, RoomHandled, idOf("handled", d), string(told)); err != nil {
		return err
	}
	b.handled.Add(1)
	return nil
}

func (b *Backend) publish(ctx context.Context, room, id, text string) error {
	return b.Client.Publish(ctx, &client.Message{Rooms: []string{room}, Event: "message", ID: id, Args: []any{text}})
}

// live tells that the backend lives, until ctx ends.
func (b *Backend) live(ctx context.Context) error {
	every := b.Every
	if every == 0 {
		every = 5 * time.Second
	}
	ticks := time.NewTicker(every)
	defer ticks.Stop()
	for {
		if err := b.sign(ctx); err != nil && ctx.Err() == nil {
			b.logger().Warn("sign of life", "backend", b.Name, "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticks.C:
		}
	}
}

func (b *Backend) sign(ctx context.Context) error {
	text, err := json.Marshal(Alive{Backend: b.Name, Handled: b.handled.Load()})
	if err != nil {
		return err
	}
	return b.Client.Publish(ctx, &client.Message{
		Rooms: []string{RoomAlive}, Event: "message", Args: []any{string(text)}, Ephemeral: true,
	})
}

func (b *Backend) logger() *slog.Logger {
	if b.Logger == nil {
		return slog.Default()
	}
	return b.Logger
}

// first decodes the first argument of an event.
func first(args json.RawMessage, into any) error {
	var all []json.RawMessage
	if err := json.Unmarshal(args, &all); err != nil {
		return fmt.Errorf("arguments: %w", err)
	}
	if len(all) == 0 {
		return errors.New("the event has no argument")
	}
	if err := json.Unmarshal(all[0], into); err != nil {
		return fmt.Errorf("first argument: %w", err)
	}
	return nil
}

// nameOf is the id of an event, or its place in the queue if it has none.
func nameOf(d *client.Delivery) string {
	if d.ID == "" {
		return d.Entry
	}
	return d.ID
}

// idOf names what is published about an event: the same in each try. It is short,
// whatever the event's id is.
func idOf(what string, d *client.Delivery) string {
	sum := sha256.Sum256([]byte(nameOf(d)))
	return what + ":" + hex.EncodeToString(sum[:16])
}
