package access

import (
	"container/heap"
	"context"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry/auth"
)

// clients knows who the clients are, and when that ends. It is one heap: no client
// has a timer of its own. Safe for concurrent use.
type clients struct {
	wake chan struct{} // there is an earlier end

	mu    *sync.Mutex
	known map[Client]*known // guarded by mu
	queue *queue            // guarded by mu
}

// known is a client and who it is.
type known struct {
	client   Client
	identity *auth.Identity
	due      time.Time
	index    int // in the queue
}

func newClients() clients {
	return clients{make(chan struct{}, 1), &sync.Mutex{}, make(map[Client]*known), &queue{}}
}

const (
	// settling is when a client that is new has connected, or never will: nobody
	// tells of the latter.
	settling = 2 * time.Minute
	never    = 365 * 24 * time.Hour
)

// add says, or says anew, who a client is.
func (c *clients) add(x Client, id *auth.Identity) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.known[x]
	if k == nil {
		k = &known{client: x}
		c.known[x] = k
		heap.Push(c.queue, k)
	}
	k.identity = id
	k.due = earlier(time.Now().Add(settling), id.Expires)
	heap.Fix(c.queue, k.index)
	if k.index == 0 {
		select {
		case c.wake <- struct{}{}:
		default:
		}
	}
}

// earlier takes the zero time for never.
func earlier(a, b time.Time) time.Time {
	if b.IsZero() || a.Before(b) {
		return a
	}
	return b
}

// identity returns nil for a client that is not known.
func (c *clients) identity(x Client) *auth.Identity {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k := c.known[x]; k != nil {
		return k.identity
	}
	return nil
}

func (c *clients) forget(x Client) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k := c.known[x]; k != nil {
		delete(c.known, x)
		heap.Remove(c.queue, k.index)
	}
}

// run calls expire for each client whose time is over, until ctx ends.
func (c *clients) run(ctx context.Context, expire func(Client)) {
	for {
		timer := time.NewTimer(time.Until(c.next()))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-c.wake:
		case <-timer.C:
		}
		timer.Stop()
		for k := c.pop(time.Now()); k != nil; k = c.pop(time.Now()) {
			c.settle(k, expire)
		}
	}
}

func (c *clients) next() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(*c.queue) == 0 {
		return time.Now().Add(never)
	}
	return (*c.queue)[0].due
}

// pop returns a copy of a client whose time has come, and puts the client off.
func (c *clients) pop(now time.Time) *known {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(*c.queue) == 0 || now.Before((*c.queue)[0].due) {
		return nil
	}
	k := (*c.queue)[0]
	came := *k
	if k.due = k.identity.Expires; !now.Before(k.due) {
		k.due = now.Add(never)
	}
	heap.Fix(c.queue, 0)
	return &came
}

// settle ends what has ended, and forgets what never began.
func (c *clients) settle(k *known, expire func(Client)) {
	end := k.identity.Expires
	switch {
	case c.identity(k.client) != k.identity: // refreshed meanwhile
	case !end.IsZero() && !time.Now().Before(end):
		expire(k.client)
		c.forget(k.client)
	case !k.client.Connected():
		c.forget(k.client)
	}
}

// queue is a heap, the earliest first.
type queue []*known

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].due.Before(q[j].due) }

func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

// Push implements heap.Interface.
func (q *queue) Push(x any) {
	k := x.(*known)
	k.index = len(*q)
	*q = append(*q, k)
}

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	last := len(*q) - 1
	k := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return k
}
