package websocket

import "unicode/utf8"

// validPrefix returns the length of the longest prefix of p that is whole,
// valid UTF-8. ok is false if no bytes that may follow could make p valid. So
// p is valid text if n is len(p).
func validPrefix(p []byte) (n int, ok bool) {
	n = len(p) - unfinished(p)
	return n, utf8.Valid(p[:n])
}

// unfinished returns the size of the sequence at the end of p that lacks bytes
// but is right so far, 0 if there is none.
func unfinished(p []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(p); n++ {
		tail := p[len(p)-n:]
		if utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}
