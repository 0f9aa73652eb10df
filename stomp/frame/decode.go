package frame

import "bytes"

// Decode takes raw apart, one whole frame as Splitter finds it, into f. The slices
// of f are parts of raw, which is changed where something was escaped; f.Headers
// is used again. Errors are *Fault.
//
// In version 1.0 blanks around names and values do not count; later they do. A
// carriage return before a line feed is part of the EOL in every version, though
// 1.2 has introduced it. A colon in a value may be unescaped.
func Decode(f *Frame, raw []byte, v Version) error {
	if len(raw) == 0 || raw[len(raw)-1] != 0 {
		return fault(ErrEnd, len(raw))
	}
	f.Headers, f.Body = f.Headers[:0], nil
	at := bytes.IndexByte(raw, '\n') + 1
	if at == 0 {
		return fault(ErrEnd, len(raw)-1)
	}
	f.Command = command(trimEOL(raw[:at]))
	if f.Command == "" {
		return fault(ErrCommand, 0)
	}
	if plain(f.Command) && v > V10 {
		v = Unknown
	}
	for {
		n := bytes.IndexByte(raw[at:], '\n') + 1
		if n == 0 {
			return fault(ErrEnd, len(raw)-1)
		}
		line := trimEOL(raw[at : at+n])
		if len(line) == 0 {
			return f.decodeBody(raw, at+n)
		}
		if err := f.decodeHeader(line, at, v); err != nil {
			return err
		}
		at += n
	}
}

// decodeHeader takes the line that begins at byte at of the frame.
func (f *Frame) decodeHeader(line []byte, at int, v Version) error {
	if i := bytes.IndexAny(line, "\x00\r"); i >= 0 {
		return fault(ErrHeaderByte, at+i)
	}
	colon := bytes.IndexByte(line, ':')
	if colon < 0 {
		return fault(ErrHeader, at)
	}
	h := Header{line[:colon], line[colon+1:]}
	switch {
	case v == V10:
		h.Name, h.Value = bytes.TrimSpace(h.Name), bytes.TrimSpace(h.Value)
	case v > V10:
		var bad int
		if h.Name, bad = unescape(h.Name, v); bad >= 0 {
			return fault(ErrEscape, at+bad)
		}
		if h.Value, bad = unescape(h.Value, v); bad >= 0 {
			return fault(ErrEscape, at+colon+1+bad)
		}
	}
	if len(h.Name) == 0 {
		return fault(ErrHeaderName, at)
	}
	f.Headers = append(f.Headers, h)
	return nil
}

// decodeBody takes what is between byte at and the NUL.
func (f *Frame) decodeBody(raw []byte, at int) error {
	f.Body = raw[at : len(raw)-1]
	value, ok := f.Get(contentLength)
	if !ok {
		if i := bytes.IndexByte(f.Body, 0); i >= 0 {
			return fault(ErrEnd, at+i)
		}
		return nil
	}
	n, ok := parseLength(bytes.TrimSpace(value))
	if !ok {
		return fault(ErrLength, at)
	}
	if n != len(f.Body) {
		return fault(ErrNoNUL, at+n)
	}
	return nil
}

// command returns the command as a constant, without allocating; empty if there is
// no such command of a client or server.
func command(p []byte) string {
	for _, c := range [...]string{
		Send, Message, Ack, Nack, Subscribe, Unsubscribe, Begin, Commit, Abort,
		Connect, Stomp, Disconnect, Connected, Receipt, Error,
	} {
		if string(p) == c {
			return c
		}
	}
	return ""
}
