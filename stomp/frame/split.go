package frame

import "bytes"

// Limits bound what a frame may be. The zero value of each is its default.
type Limits struct {
	// MaxHeaderBytes bounds command and headers. Default 16 KiB.
	MaxHeaderBytes int
	// MaxHeaders bounds the number of headers. Default 100.
	MaxHeaders int
	// MaxBody bounds the body in bytes, below 200,000,000. Default 1,000,000.
	MaxBody int
}

// WithDefaults replaces zero values by their defaults.
func (l Limits) WithDefaults() Limits {
	set := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	set(&l.MaxHeaderBytes, 16<<10)
	set(&l.MaxHeaders, 100)
	set(&l.MaxBody, 1_000_000)
	return l
}

// Splitter finds the end of a frame that may come in pieces. It remembers how far
// it has looked, so that every byte is looked at once however small the pieces
// are. The zero value is at the beginning of a frame.
type Splitter struct {
	at      int // all before it has been looked at
	line    int // where the present line begins
	headers int // lines so far, that of the command included
	body    int // where the body begins; 0: not reached
	length  int // content-length + 1; 0: there is none
}

// EOLs returns how many bytes at the beginning of data are heart-beats. A carriage
// return at the end of data may become one: it is not counted.
func EOLs(data []byte) int {
	n := 0
	for n < len(data) {
		switch {
		case data[n] == '\n':
			n++
		case data[n] == '\r' && n+1 < len(data) && data[n+1] == '\n':
			n += 2
		default:
			return n
		}
	}
	return n
}

// Next returns the size of the frame that data begins with, its NUL included, and
// is then at the beginning of the next one; 0 if data ends before the frame does:
// then the next call gets the same bytes and more. l is with its defaults. Errors
// are *Fault.
func (s *Splitter) Next(data []byte, l Limits) (int, error) {
	for s.body == 0 {
		i := bytes.IndexByte(data[s.at:], '\n')
		if end := s.at + max(i, 0); end > l.MaxHeaderBytes || i < 0 && len(data) > l.MaxHeaderBytes {
			return 0, fault(ErrHeadersSize, l.MaxHeaderBytes)
		}
		if i < 0 {
			s.at = len(data)
			return 0, nil
		}
		s.at += i + 1
		if err := s.endLine(data, l); err != nil {
			return 0, err
		}
	}
	return s.findEnd(data, l)
}

// endLine looks at the line that ends before s.at.
func (s *Splitter) endLine(data []byte, l Limits) error {
	line := trimEOL(data[s.line:s.at])
	if len(line) == 0 {
		s.body = s.at
		return nil
	}
	if s.headers > l.MaxHeaders {
		return fault(ErrHeadersNumber, s.line)
	}
	if s.length == 0 && s.headers > 0 {
		if value, ok := bytes.CutPrefix(line, []byte(contentLength+":")); ok {
			n, ok := parseLength(bytes.TrimSpace(value))
			switch {
			case !ok:
				return fault(ErrLength, s.line)
			case n > l.MaxBody:
				return fault(ErrBodySize, s.line)
			}
			s.length = n + 1
		}
	}
	s.headers++
	s.line = s.at
	return nil
}

// findEnd looks for the end of the body.
func (s *Splitter) findEnd(data []byte, l Limits) (int, error) {
	end := s.body + s.length - 1
	if s.length == 0 {
		i := bytes.IndexByte(data[s.at:], 0)
		if i < 0 {
			end, s.at = len(data), len(data)
		} else {
			end = s.at + i
		}
		if end-s.body > l.MaxBody {
			return 0, fault(ErrBodySize, s.body+l.MaxBody)
		}
	}
	switch {
	case end >= len(data):
		return 0, nil
	case data[end] != 0:
		return 0, fault(ErrNoNUL, end)
	}
	*s = Splitter{}
	return end + 1, nil
}

const contentLength = "content-length"

// parseLength takes digits only. A number beyond maxLength becomes maxLength, which
// no limit allows either.
func parseLength(p []byte) (int, bool) {
	n := 0
	for _, c := range p {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = min(n*10+int(c-'0'), maxLength)
	}
	return n, len(p) > 0
}

// maxLength times 10 still fits into an int of 32 bits.
const maxLength = 200_000_000

// trimEOL cuts the line feed, and the carriage return before it.
func trimEOL(line []byte) []byte {
	line = bytes.TrimSuffix(line, []byte{'\n'})
	return bytes.TrimSuffix(line, []byte{'\r'})
}
