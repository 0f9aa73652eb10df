package engineio

import (
	"bytes"
	"sync"

	"github.com/seed-09a96375/belfry/engineio/packet"
)

// buffer is what one polling request works in.
type buffer struct {
	payload    []byte
	script     []byte // JSON-P
	compressed bytes.Buffer
	packets    []packet.Packet
}

// buffers keeps buffers for reuse. The zero value is ready; safe for concurrent
// use.
type buffers struct{ pool sync.Pool }

const (
	firstBuffer = 4 << 10
	keepBuffer  = 64 << 10 // larger ones are left to the garbage collector
)

func (p *buffers) get() *buffer {
	if b, ok := p.pool.Get().(*buffer); ok {
		return b
	}
	return &buffer{payload: make([]byte, 0, firstBuffer)}
}

func (p *buffers) put(b *buffer) {
	if max(cap(b.payload), cap(b.script), b.compressed.Cap()) <= keepBuffer {
		p.pool.Put(b)
	}
}
