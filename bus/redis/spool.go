package redis

import "sync/atomic"

// spool counts the bytes of publishes that wait for Redis to come back. Each
// waits in its own Publish, so the order of a publisher is kept.
type spool struct {
	max   int
	bytes atomic.Int64
}

func (s *spool) enter(n int) bool {
	if s.bytes.Add(int64(n)) <= int64(s.max) {
		return true
	}
	s.leave(n)
	return false
}

func (s *spool) leave(n int) { s.bytes.Add(-int64(n)) }
