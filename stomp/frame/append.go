package frame

import "strconv"

// AppendCommand begins a frame. Headers follow; AppendBody ends it.
func AppendCommand(dst []byte, command string) []byte {
	return append(append(dst, command...), '\n')
}

// AppendHeader appends a header as frames of version v have it; CONNECT, STOMP and
// CONNECTED have v Unknown. A byte that cannot be written in that version, such as
// a line feed in 1.0, is left out, and so is NUL.
func AppendHeader(dst []byte, v Version, name, value string) []byte {
	dst = appendEscaped(dst, name, v, true)
	dst = appendEscaped(append(dst, ':'), value, v, false)
	return append(dst, '\n')
}

// AppendBody ends a frame. A body that is not empty gets a content-length, so that
// it may have any bytes.
func AppendBody(dst, body []byte) []byte {
	if len(body) > 0 {
		dst = append(append(dst, contentLength...), ':')
		dst = strconv.AppendInt(dst, int64(len(body)), 10)
		dst = append(dst, '\n')
	}
	dst = append(append(dst, '\n'), body...)
	return append(dst, 0)
}

// Append appends f as version v has it. A content-length among its headers is
// replaced by the right one.
func Append(dst []byte, f *Frame, v Version) []byte {
	if plain(f.Command) {
		v = Unknown
	}
	dst = AppendCommand(dst, f.Command)
	for _, h := range f.Headers {
		if string(h.Name) != contentLength {
			dst = AppendHeader(dst, v, string(h.Name), string(h.Value))
		}
	}
	return AppendBody(dst, f.Body)
}
