package poll

import (
	"sync"
	"sync/atomic"
)

// table finds connections by descriptor: 8 bytes each. Reading takes no lock.
type table struct {
	mu     sync.Mutex // growing
	chunks atomic.Pointer[[]*tableChunk]
}

const chunkLen = 512

type tableChunk [chunkLen]atomic.Pointer[conn]

// get returns nil for a descriptor that is no connection.
func (t *table) get(fd int) *conn {
	chunks := t.chunks.Load()
	if chunks == nil || fd/chunkLen >= len(*chunks) {
		return nil
	}
	return (*chunks)[fd/chunkLen][fd%chunkLen].Load()
}

// set enters c, or takes the entry out if c is nil.
func (t *table) set(fd int, c *conn) {
	t.chunk(fd / chunkLen)[fd%chunkLen].Store(c)
}

func (t *table) chunk(i int) *tableChunk {
	if chunks := t.chunks.Load(); chunks != nil && i < len(*chunks) {
		return (*chunks)[i]
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var grown []*tableChunk
	if chunks := t.chunks.Load(); chunks != nil {
		grown = append(grown, *chunks...)
	}
	for len(grown) <= i {
		grown = append(grown, new(tableChunk))
	}
	t.chunks.Store(&grown)
	return grown[i]
}

// each calls f for every connection.
func (t *table) each(f func(*conn)) {
	chunks := t.chunks.Load()
	if chunks == nil {
		return
	}
	for _, chunk := range *chunks {
		for i := range chunk {
			if c := chunk[i].Load(); c != nil {
				f(c)
			}
		}
	}
}
