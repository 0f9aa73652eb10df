//go:build !unix

package poll

// readOn reads until the end.
func (s *stream) readOn() { s.readInto() }
