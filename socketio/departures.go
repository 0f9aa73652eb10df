package socketio

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/seed-09a96375/belfry"
)

// departures are the leaves of this node that the bus does not know of yet. Who
// asks for members waits for those that came before. The zero value is empty.
type departures struct {
	mu      sync.Mutex
	pending map[belfry.Room]map[chan struct{}]struct{}
}

// begin notes a leave until done is called.
func (d *departures) begin(room belfry.Room) (done func()) {
	c := make(chan struct{})
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.pending == nil {
		d.pending = make(map[belfry.Room]map[chan struct{}]struct{})
	}
	if d.pending[room] == nil {
		d.pending[room] = make(map[chan struct{}]struct{})
	}
	d.pending[room][c] = struct{}{}
	return func() { d.end(room, c) }
}

func (d *departures) end(room belfry.Room, c chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	close(c)
	delete(d.pending[room], c)
	if len(d.pending[room]) == 0 {
		delete(d.pending, room)
	}
}

// wait waits for the leaves of a room that have begun.
func (d *departures) wait(ctx context.Context, room belfry.Room) error {
	d.mu.Lock()
	pending := slices.Collect(maps.Keys(d.pending[room]))
	d.mu.Unlock()
	for _, c := range pending {
		select {
		case <-c:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
