package packet

import (
	"encoding/binary"
	"strconv"
	"time"
)

// Extensions of notepack.io 2, and that of the msgpack specification.
const (
	extNotepack  = 0  // fixed 1: undefined; fixed 8: date; any size: ArrayBuffer
	extTimestamp = -1 // 4, 8 or 12 bytes
)

// undefined reads the next value if it is JavaScript's undefined.
func (u *unpacker) undefined() bool {
	const head, size = 0xd4, 3
	if len(u.p)-u.i < size || u.p[u.i] != head || u.p[u.i+1] != extNotepack {
		return false
	}
	u.i += size
	return true
}

func (u *unpacker) extension(k kind, n uint64) {
	t := int8(u.uint(1))
	b := u.take(n)
	switch {
	case u.err != nil:
	case t == extNotepack && k == kindExt:
		u.attach(b)
	case t == extNotepack && n == 1:
		u.out = append(u.out, "null"...)
	case t == extNotepack && n == 8:
		u.date(int64(binary.BigEndian.Uint64(b)), 0)
	case t == extTimestamp && n == 4:
		u.timestamp(int64(binary.BigEndian.Uint32(b)), 0)
	case t == extTimestamp && n == 8:
		x := binary.BigEndian.Uint64(b)
		u.timestamp(int64(x&(1<<34-1)), uint32(x>>34))
	case t == extTimestamp && n == 12:
		u.timestamp(int64(binary.BigEndian.Uint64(b[4:])), binary.BigEndian.Uint32(b))
	default:
		u.out = append(strconv.AppendInt(append(u.out, '['), int64(t), 10), ',')
		u.attach(b)
		u.out = append(u.out, ']')
	}
}

// maxDate is how far from 1970 a JavaScript Date can be, in seconds.
const maxDate = 8_640_000_000_000

func (u *unpacker) timestamp(seconds int64, nanoseconds uint32) {
	if seconds < -maxDate || seconds > maxDate || nanoseconds >= 1e9 {
		u.out = append(u.out, "null"...)
		return
	}
	u.date(seconds*1000, int64(nanoseconds/1e6))
}

// date appends milliseconds since 1970 as Date.toJSON does: a date that does not
// exist is null.
func (u *unpacker) date(ms, more int64) {
	if ms < -maxDate*1000 || ms+more > maxDate*1000 {
		u.out = append(u.out, "null"...)
		return
	}
	t := time.UnixMilli(ms + more).UTC()
	u.out = append(u.out, '"')
	if y := t.Year(); y < 0 || y > 9999 {
		u.out = appendYear(u.out, y)
		u.out = t.AppendFormat(u.out, "-01-02T15:04:05.000Z\"")
		return
	}
	u.out = t.AppendFormat(u.out, "2006-01-02T15:04:05.000Z\"")
}

// appendYear appends a sign and six digits.
func appendYear(dst []byte, y int) []byte {
	sign := byte('+')
	if y < 0 {
		sign, y = '-', -y
	}
	digits := strconv.Itoa(1_000_000 + y)
	return append(append(dst, sign), digits[1:]...)
}
