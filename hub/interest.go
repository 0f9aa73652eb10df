package hub

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
)

// interest tells a bus that is a belfry.Follower which rooms have members on this
// node. A room is followed before its first member is in it, and for a moment
// after its last has left, since members often come back or are replaced. Safe
// for concurrent use.
type interest struct {
	follower belfry.Follower
	hub      *Hub

	mu       sync.Mutex
	followed map[roomKey]struct{}
	busy     map[roomKey]chan struct{} // closed when the call about this room has ended
	vacant   map[roomKey]struct{}      // may have no member any more
}

// roomKey names a room of a namespace, or the room that a socket is by itself.
type roomKey struct {
	namespace string
	name      string
	own       bool
}

func newInterest(h *Hub, f belfry.Follower) *interest {
	return &interest{
		follower: f, hub: h,
		followed: make(map[roomKey]struct{}),
		busy:     make(map[roomKey]chan struct{}),
		vacant:   make(map[roomKey]struct{}),
	}
}

// during runs enter while the room is followed. If that fails nobody may be in
// the room: it is looked after later.
func (i *interest) during(ctx context.Context, key roomKey, enter func() error) error {
	if err := i.begin(ctx, key); err != nil {
		return err
	}
	defer i.end(key)
	err := i.follow(ctx, key)
	if err == nil {
		err = enter()
	}
	if err != nil {
		i.vacated(key)
	}
	return err
}

// begin waits until no other call about the room is under way: those of one room
// must not overlap.
func (i *interest) begin(ctx context.Context, key roomKey) error {
	for {
		i.mu.Lock()
		wait := i.busy[key]
		if wait == nil {
			i.busy[key] = make(chan struct{})
			i.mu.Unlock()
			return nil
		}
		i.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (i *interest) end(key roomKey) {
	i.mu.Lock()
	defer i.mu.Unlock()
	close(i.busy[key])
	delete(i.busy, key)
}

func (i *interest) follow(ctx context.Context, key roomKey) error {
	if key.own {
		return i.follower.Own(ctx, key.namespace, belfry.SocketID(key.name))
	}
	i.mu.Lock()
	_, already := i.followed[key]
	i.mu.Unlock()
	if already {
		return nil
	}
	if err := i.follower.Follow(ctx, key.namespace, belfry.Room(key.name)); err != nil {
		return err
	}
	key.name = strings.Clone(key.name) // it may be a part of a whole packet
	i.mu.Lock()
	defer i.mu.Unlock()
	i.followed[key] = struct{}{}
	return nil
}

// vacated notes rooms that may have no member any more. It does not block.
func (i *interest) vacated(keys ...roomKey) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, key := range keys {
		i.vacant[key] = struct{}{}
	}
}

const (
	// tidyEvery is how long a room without members stays followed, at most.
	tidyEvery = 500 * time.Millisecond
	// tidyAtOnce bounds the calls to the bus that are under way for that.
	tidyAtOnce = 32
)

// tidy lets go of rooms without members until the hub is closed.
func (i *interest) tidy() {
	tick := time.NewTicker(tidyEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			i.tidyOnce()
		case <-i.hub.ctx.Done():
			return
		}
	}
}

func (i *interest) tidyOnce() {
	i.mu.Lock()
	vacant := i.vacant
	i.vacant = make(map[roomKey]struct{})
	i.mu.Unlock()
	var wg sync.WaitGroup
	slots := make(chan struct{}, tidyAtOnce)
	for key := range vacant {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			i.release(key)
		})
	}
	wg.Wait()
}

// release lets go of a room if it is empty. If the bus cannot be told, it is
// tried again.
func (i *interest) release(key roomKey) {
	ctx, cancel := context.WithTimeout(i.hub.ctx, i.hub.opts.PublishTimeout)
	defer cancel()
	if i.begin(ctx, key) != nil {
		i.vacated(key)
		return
	}
	defer i.end(key)
	if i.inUse(key) {
		return
	}
	if err := i.unfollow(ctx, key); err != nil {
		i.vacated(key)
	}
}

func (i *interest) inUse(key roomKey) bool {
	sp := i.hub.lookup(key.namespace)
	if sp == nil {
		return false
	}
	if key.own {
		_, here := sp.Lookup(belfry.SocketID(key.name))
		return here
	}
	return sp.joined(belfry.Room(key.name)) > 0
}

func (i *interest) unfollow(ctx context.Context, key roomKey) error {
	if key.own {
		return i.follower.Disown(ctx, key.namespace, belfry.SocketID(key.name))
	}
	if err := i.follower.Unfollow(ctx, key.namespace, belfry.Room(key.name)); err != nil {
		return err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.followed, key)
	return nil
}
