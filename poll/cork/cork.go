// Package cork lets connections write what comes at once together: while messages
// that are all there already are fanned out, connections hold their frames back, and
// each writes its own with one call at the end. Nothing waits for what is yet to come.
package cork

import (
	"runtime"
	"slices"
	"sync"
)

// Holder is a connection that holds frames back.
type Holder interface {
	// Uncork writes them. It does not block.
	Uncork()
}

// Cork is the connections that hold frames back. The zero value is open: nobody may
// hold anything back. Safe for concurrent use.
type Cork struct {
	mu     sync.Mutex
	closed bool
	held   []Holder
}

// Close lets connections hold frames back from now on. A Pull is owed.
func (c *Cork) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
}

// Hold takes a connection in, whose Uncork is then called once. It reports false if
// nothing may be held back: a message may be written long after those that it came
// with. A nil Cork is an open one.
func (c *Cork) Hold(h Holder) bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		c.held = append(c.held, h)
	}
	return c.closed
}

// Flush has those write who hold something back, and goes on.
func (c *Cork) Flush() { c.release(true) }

// Pull has those write who hold something back, and ends it.
func (c *Cork) Pull() { c.release(false) }

func (c *Cork) release(closed bool) {
	c.mu.Lock()
	held := c.held
	c.held, c.closed = nil, closed
	c.mu.Unlock()
	uncork(held)
	clear(held) // a spare list must not keep connections alive
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held == nil && cap(held) <= keep {
		c.held = held[:0]
	}
}

const (
	// alone is how many connections one goroutine writes: for fewer, waking another
	// processor takes longer than it saves.
	alone = 64
	// keep bounds the memory that stays, in connections.
	keep = 4096
)

// uncork calls all, on several processors if they are many.
func uncork(held []Holder) {
	if len(held) <= alone {
		for _, h := range held {
			h.Uncork()
		}
		return
	}
	workers := runtime.GOMAXPROCS(0)
	var others sync.WaitGroup
	for part := range slices.Chunk(held, max(alone, (len(held)+workers-1)/workers)) {
		others.Go(func() {
			for _, h := range part {
				h.Uncork()
			}
		})
	}
	others.Wait()
}
