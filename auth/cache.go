package auth

import (
	"crypto/sha256"
	"encoding/json"
	"sync"
	"time"
)

// cacheKey stands for a request. It is a hash, so that no token stays in memory.
type cacheKey [sha256.Size]byte

// key leaves the address out: a phone that moves is the same user.
func (q HookRequest) key() cacheKey {
	q.Address = ""
	text, err := json.Marshal(q) // the keys of a map come sorted
	if err != nil {
		return cacheKey{}
	}
	return sha256.Sum256(text)
}

const maxCache = 10_000 // answers, about 1 KB each

// cache keeps answers of a hook for a while. Safe for concurrent use.
type cache struct {
	mu      sync.Mutex
	answers map[cacheKey]cached // guarded by mu
}

type cached struct {
	identity *Identity
	until    time.Time
}

func newCache() *cache { return &cache{answers: make(map[cacheKey]cached)} }

// get returns nil if there is nothing, or nothing that still holds.
func (c *cache) get(key cacheKey, now time.Time) *Identity {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, ok := c.answers[key]
	switch {
	case !ok:
		return nil
	case now.Before(a.until) && (a.identity.Expires.IsZero() || now.Before(a.identity.Expires)):
		return a.identity
	}
	delete(c.answers, key)
	return nil
}

func (c *cache) put(key cacheKey, id *Identity, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.answers) >= maxCache {
		c.shrink(time.Now())
	}
	c.answers[key] = cached{id, until}
}

// shrink removes what has ended, and at least some: the map has no order, so these
// are as good as any.
func (c *cache) shrink(now time.Time) {
	left := maxCache / 10
	for key, a := range c.answers {
		if left > 0 || !now.Before(a.until) {
			delete(c.answers, key)
			left--
		}
	}
}
