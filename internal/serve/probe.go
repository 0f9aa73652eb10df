package serve

import (
	"context"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

// probe asks a Redis every second whether it is there, so that readiness tells the
// truth before a client's event does.
type probe struct {
	client rueidis.Client
	cancel context.CancelFunc
	done   chan struct{}

	mu   sync.Mutex
	last time.Time // of the last answer
}

const (
	probePause = time.Second
	// probePatience is how long there may be no answer: as the bus has it.
	probePatience = 3 * time.Second
)

// newProbe begins with a Redis that has just been there.
func newProbe(c rueidis.Client) *probe {
	ctx, cancel := context.WithCancel(context.Background())
	p := &probe{client: c, cancel: cancel, done: make(chan struct{}), last: time.Now()}
	go func() {
		defer close(p.done)
		p.run(ctx)
	}()
	return p
}

func (p *probe) close() {
	p.cancel()
	<-p.done
}

func (p *probe) run(ctx context.Context) {
	tick := time.NewTicker(probePause)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		asked, cancel := context.WithTimeout(ctx, probePatience)
		err := p.client.Do(asked, p.client.B().Ping().Build()).Error()
		cancel()
		if err == nil {
			p.answered()
		}
	}
}

func (p *probe) answered() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = time.Now()
}

// reasons says so if there was no answer for a while.
func (p *probe) reasons() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.last) < probePatience {
		return nil
	}
	return []string{"the Redis of the queues does not answer"}
}
