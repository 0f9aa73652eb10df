// Package stamp marks the messages of a benchmark, so that whoever receives one
// knows its sender, its number and how long it travelled. A stamp is 32
// hexadecimal digits at the front of the payload:
//
//	source 8 | number 8 | time of sending 16
package stamp

// Len is the length of a stamp in bytes: the shortest payload.
const Len = 32

// Stamp identifies one message of one source.
type Stamp struct {
	// Source numbers the senders of a run from 0.
	Source uint32
	// Seq numbers the messages of one source from 0, without gaps.
	Seq uint32
	// Sent is the time at which the message was sent, or, where a schedule sets
	// the pace, was due: nanoseconds of a Clock.
	Sent int64
}

const digits = "0123456789abcdef"

// AppendTo appends the stamp's Len bytes to dst.
func (s Stamp) AppendTo(dst []byte) []byte {
	dst = appendHex(dst, uint64(s.Source), 8)
	dst = appendHex(dst, uint64(s.Seq), 8)
	return appendHex(dst, uint64(s.Sent), 16)
}

func appendHex(dst []byte, v uint64, n int) []byte {
	for i := (n - 1) * 4; i >= 0; i -= 4 {
		dst = append(dst, digits[v>>i&0xf])
	}
	return dst
}

// Parse reads the stamp at the front of p; false if there is none. Only the
// digits that AppendTo writes are accepted, so a stamp has one spelling.
func Parse(p []byte) (Stamp, bool) {
	if len(p) < Len {
		return Stamp{}, false
	}
	source, ok1 := parseHex(p[:8])
	seq, ok2 := parseHex(p[8:16])
	sent, ok3 := parseHex(p[16:Len])
	s := Stamp{Source: uint32(source), Seq: uint32(seq), Sent: int64(sent)}
	return s, ok1 && ok2 && ok3
}

func parseHex(p []byte) (v uint64, ok bool) {
	for _, c := range p {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		default:
			return 0, false
		}
		v = v<<4 | uint64(c)
	}
	return v, true
}
