package poll

import (
	"fmt"
	"net"
	"time"
)

// write is the writer's goroutine: it ends when nothing is left.
func (s *stream) write() {
	defer s.exit()
	batch := s.group.streams.batches.Get().(*[streamBatch][]byte)
	defer s.group.streams.batches.Put(batch)
	for {
		bufs := s.takeBatch(batch)
		if len(bufs) == 0 {
			return
		}
		n, err := s.transmit(bufs)
		clear(batch[:])
		s.written(n, err)
	}
}

// takeBatch returns what is to be written next. If there is nothing it ends the
// sending side, if that is to end, and the writer.
func (s *stream) takeBatch(batch *[streamBatch][]byte) [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting() {
		s.began = time.Now()
		return s.out.take(batch[:0], streamBuffer)
	}
	if s.finishing && !s.broken && !s.closed {
		s.endSending()
	}
	s.writing = false
	s.release()
	return nil
}

// endSending is called under mu, which it gives up meanwhile: with TLS it may
// block. A connection that cannot end one side alone is closed.
func (s *stream) endSending() {
	half, ok := s.nc.(interface{ CloseWrite() error })
	if ok && !s.ended {
		s.mu.Unlock()
		err := half.CloseWrite()
		s.mu.Lock()
		if err != nil {
			s.fail(fmt.Errorf("end the stream: %w", err))
			return
		}
	}
	if !ok || s.ended {
		s.close(s.out.reason)
	}
}

// written takes out what was written.
func (s *stream) written(n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.began = time.Time{}
	counts := &s.group.streams.counts
	counts.batches.Add(1)
	counts.bytes.Add(uint64(n))
	if s.closed {
		return
	}
	counts.frames.Add(uint64(s.out.advance(n)))
	if err != nil {
		s.fail(fmt.Errorf("write: %w", err))
	}
}

// release gives the backlog back if nothing is in it. Called under mu.
func (s *stream) release() {
	if s.out != nil && s.out.spare() && !s.writing && !s.closed {
		s.group.giveBack(s.out)
		s.out = nil
	}
}

// transmit writes bufs; it may block. One writev where there is one, else
// joined.
func (s *stream) transmit(bufs [][]byte) (int, error) {
	if len(bufs) == 1 {
		return s.nc.Write(bufs[0])
	}
	switch s.nc.(type) {
	case *net.TCPConn, *net.UnixConn:
		v := net.Buffers(bufs)
		n, err := v.WriteTo(s.nc)
		return int(n), err
	}
	return s.transmitJoined(bufs)
}

func (s *stream) transmitJoined(bufs [][]byte) (done int, err error) {
	joined := s.group.streams.buffers.Get().(*[streamBuffer]byte)
	defer s.group.streams.buffers.Put(joined)
	for len(bufs) > 0 && err == nil {
		size, used := join(joined[:], bufs)
		p := joined[:size]
		if used == 0 {
			p, used = bufs[0], 1 // larger than the buffer
		}
		var n int
		n, err = s.nc.Write(p)
		done += n
		bufs = bufs[used:]
	}
	return done, err
}

// join copies as many of bufs as fit.
func join(dst []byte, bufs [][]byte) (size, used int) {
	for _, b := range bufs {
		if size+len(b) > len(dst) {
			break
		}
		size += copy(dst[size:], b)
		used++
	}
	return size, used
}
