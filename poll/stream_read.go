package poll

import (
	"errors"
	"fmt"
	"io"
)

// smallRead is what a connection holds that can only read into a buffer that
// is there beforehand (TLS).
const smallRead = 512

// read is the reader's goroutine.
func (s *stream) read() {
	defer s.exit()
	if s.mayRead() {
		s.readFirst()
		s.readOn()
	}
	s.tell()
}

// mayRead ends the reader if it is not to read now.
func (s *stream) mayRead() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.paused || s.ended || s.closed {
		s.reading = false
	}
	return s.reading
}

// readFirst delivers what was read before the connection came here.
func (s *stream) readFirst() {
	s.mu.Lock()
	var first []byte
	if s.out != nil {
		first, s.out.first = s.out.first, nil
		s.release()
	}
	s.mu.Unlock()
	s.arrived(first, nil)
}

// readInto reads with Read, which waits with the buffer in its hands: a small
// one, until that is filled.
func (s *stream) readInto() {
	small := make([]byte, smallRead)
	for s.mayRead() {
		n, err := s.nc.Read(small)
		s.arrived(small[:n], err)
		if n == len(small) {
			s.readLarge()
		}
	}
}

// readLarge reads as long as there is much.
func (s *stream) readLarge() {
	buf := s.group.streams.buffers.Get().(*[streamBuffer]byte)
	defer s.group.streams.buffers.Put(buf)
	for n := smallRead; n >= smallRead && s.mayRead(); {
		var err error
		n, err = s.nc.Read(buf[:])
		s.arrived(buf[:n], err)
	}
}

// arrived deals with the outcome of a read.
func (s *stream) arrived(p []byte, err error) {
	if len(p) > 0 && !s.isClosed() {
		if dataErr := s.group.deliver(s.h, p); dataErr != nil {
			s.Close(dataErr)
		}
	}
	switch {
	case err == nil:
	// TLS peers often close without a word, which TLS reports as unexpected.
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		s.peerEnded()
	default:
		s.Close(fmt.Errorf("read: %w", err))
	}
}

func (s *stream) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// tell tells the handler of the end, if it has come.
func (s *stream) tell() {
	s.mu.Lock()
	first := s.closed && !s.told
	var reason error
	if first {
		s.told = true
		reason = s.out.reason
	}
	s.mu.Unlock()
	if first {
		s.group.tellClosed(s.h, reason)
	}
}
