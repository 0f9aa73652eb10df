package poll

import (
	"net"
	"sync"
)

// streams are the connections of a Group that have goroutines of their own.
type streams struct {
	counts  writeCounters
	buffers sync.Pool // *[streamBuffer]byte
	batches sync.Pool // *[streamBatch][]byte

	mu      sync.Mutex
	open    map[*stream]struct{}
	closed  bool
	running sync.WaitGroup // one per connection, until its goroutines have ended
}

const (
	// streamBuffer is for reading when there is something to read, and for
	// joining frames: what a TLS record holds.
	streamBuffer = 16 << 10
	// streamBatch bounds the frames that are written at once, streamBuffer their
	// bytes.
	streamBatch = 64
)

func (t *streams) init() {
	t.open = make(map[*stream]struct{})
	t.buffers.New = func() any { return new([streamBuffer]byte) }
	t.batches.New = func() any { return new([streamBatch][]byte) }
}

func (t *streams) add(g *Group, nc net.Conn, read []byte, bind func(Conn) Handler) error {
	s := &stream{group: g, nc: nc, unbound: true}
	if !t.enter(s) {
		_ = nc.Close()
		return ErrClosed
	}
	boundKernel(bare(nc), g.opts.NotSentLowat)
	s.start(bind(s), read)
	return nil
}

func (t *streams) enter(s *stream) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.open[s] = struct{}{}
	t.running.Add(1)
	return true
}

func (t *streams) left(s *stream) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.open, s)
	t.running.Done()
}

func (t *streams) closeAll() {
	t.mu.Lock()
	t.closed = true
	all := make([]*stream, 0, len(t.open))
	for s := range t.open {
		all = append(all, s)
	}
	t.mu.Unlock()
	for _, s := range all {
		s.Close(ErrClosed)
	}
}

func (t *streams) wait() { t.running.Wait() }

func (t *streams) addTo(s *Stats) {
	t.counts.addTo(s)
	t.mu.Lock()
	defer t.mu.Unlock()
	s.Open += int64(len(t.open))
}
