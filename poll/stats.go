package poll

import (
	"sync/atomic"
	"time"
)

// Stats are counts since the Group was made, except where said otherwise. They
// are read one after the other, not at one moment.
type Stats struct {
	// Open is the number of connections now.
	Open int64
	// Writes counts calls into the kernel, or into TLS, that were to write.
	Writes uint64
	// Frames counts frames written whole; with Writes it tells how well frames
	// are collected.
	Frames uint64
	// Bytes counts bytes written.
	Bytes uint64
	// DroppedVolatile counts volatile frames that met a slow peer.
	DroppedVolatile uint64
	// DroppedOldest counts queued frames that made room for newer ones.
	DroppedOldest uint64
	// DroppedOverflow counts DropOldest and KeepLatest frames that found no room.
	DroppedOverflow uint64
	// Replaced counts queued frames replaced by a newer one of their key.
	Replaced uint64
	// SlowCloses counts connections closed with ErrSlow.
	SlowCloses uint64
	// Interval is the longest time for which any loop lets its connections
	// collect frames now; 0: every frame is written at once.
	Interval time.Duration
}

// dropCounters count what slow peers cost. Shared by all connections: only
// touched when something is dropped.
type dropCounters struct {
	volatile, oldest, overflow, replaced, slow atomic.Uint64
}

// writeCounters count writes. On the hot path: each loop has its own. A direct
// write is one call and, nearly always, one frame, so it costs two additions.
type writeCounters struct {
	direct  atomic.Uint64 // calls for a single frame
	batches atomic.Uint64 // other calls
	frames  atomic.Uint64 // frames completed by batches, less direct ones that were not
	bytes   atomic.Uint64
}

func (w *writeCounters) addTo(s *Stats) {
	direct := w.direct.Load()
	s.Writes += direct + w.batches.Load()
	s.Frames += direct + w.frames.Load()
	s.Bytes += w.bytes.Load()
}

func (d *dropCounters) addTo(s *Stats) {
	s.DroppedVolatile += d.volatile.Load()
	s.DroppedOldest += d.oldest.Load()
	s.DroppedOverflow += d.overflow.Load()
	s.Replaced += d.replaced.Load()
	s.SlowCloses += d.slow.Load()
}
