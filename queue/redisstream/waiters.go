package redisstream

import (
	"context"
	"log/slog"
	"sync"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry/queue/consume"
)

// waiters hear when something is published to the keys that they wait for. All
// share one connection, which is made when the first of them comes. What is
// published while it is broken is not heard: whoever waits looks by himself, too.
type waiters struct {
	client  rueidis.Client
	logger  *slog.Logger
	wanted  chan struct{} // gets a value when there is somebody
	mu      sync.Mutex
	waiting map[string]map[chan struct{}]struct{} // by key
	conn    rueidis.DedicatedClient               // nil while there is none
}

func newWaiters(client rueidis.Client, logger *slog.Logger) *waiters {
	return &waiters{
		client: client, logger: logger, wanted: make(chan struct{}, 1),
		waiting: make(map[string]map[chan struct{}]struct{}),
	}
}

// add returns a channel that gets a value after something was published to the key,
// and what ends that.
func (w *waiters) add(ctx context.Context, key string) (heard <-chan struct{}, forget func()) {
	c := make(chan struct{}, 1)
	w.mu.Lock()
	first := len(w.waiting[key]) == 0
	if first {
		w.waiting[key] = make(map[chan struct{}]struct{})
	}
	w.waiting[key][c] = struct{}{}
	conn := w.conn
	w.mu.Unlock()
	if conn == nil {
		select {
		case w.wanted <- struct{}{}:
		default:
		}
	} else if first {
		_ = conn.Do(ctx, conn.B().Subscribe().Channel(key).Build()).Error() // run sees that it is broken
	}
	return c, func() { w.remove(ctx, key, c) }
}

func (w *waiters) remove(ctx context.Context, key string, c chan struct{}) {
	w.mu.Lock()
	delete(w.waiting[key], c)
	last := len(w.waiting[key]) == 0
	if last {
		delete(w.waiting, key)
	}
	conn := w.conn
	w.mu.Unlock()
	if last && conn != nil {
		_ = conn.Do(context.WithoutCancel(ctx), conn.B().Unsubscribe().Channel(key).Build()).Error()
		w.again(ctx, conn, key)
	}
}

// again subscribes anew to a key that somebody began to wait for meanwhile.
func (w *waiters) again(ctx context.Context, conn rueidis.DedicatedClient, key string) {
	w.mu.Lock()
	wanted := len(w.waiting[key]) > 0
	w.mu.Unlock()
	if wanted {
		_ = conn.Do(context.WithoutCancel(ctx), conn.B().Subscribe().Channel(key).Build()).Error()
	}
}

// wake tells all that wait for the key.
func (w *waiters) wake(key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.waiting[key] {
		select {
		case c <- struct{}{}:
		default: // it was told
		}
	}
}

// run keeps the connection until ctx ends.
func (w *waiters) run(ctx context.Context) {
	for {
		select {
		case <-w.wanted:
		case <-ctx.Done():
			return
		}
		for pause := pauseFirst; ctx.Err() == nil; pause = min(2*pause, pauseLongest) {
			if err := w.listen(ctx); err != nil && ctx.Err() == nil {
				w.logger.Warn("queue: connection that waits for answers", "err", err)
			}
			if !consume.Sleep(ctx, pause) {
				return
			}
		}
	}
}

// listen has one connection until it breaks.
func (w *waiters) listen(ctx context.Context) error {
	conn, release := w.client.Dedicate()
	defer release()
	broken := conn.SetPubSubHooks(rueidis.PubSubHooks{OnMessage: func(m rueidis.PubSubMessage) { w.wake(m.Channel) }})
	defer w.use(nil)
	keys := w.use(conn)
	if len(keys) > 0 {
		if err := conn.Do(ctx, conn.B().Subscribe().Channel(keys...).Build()).Error(); err != nil {
			return err
		}
	}
	for _, key := range keys {
		w.wake(key) // it may have come while nobody listened
	}
	select {
	case err := <-broken:
		return err
	case <-ctx.Done():
		return nil
	}
}

// use makes conn the one that add and remove use. It returns the keys that are
// waited for.
func (w *waiters) use(conn rueidis.DedicatedClient) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conn = conn
	var keys []string
	for key := range w.waiting {
		keys = append(keys, key)
	}
	return keys
}
