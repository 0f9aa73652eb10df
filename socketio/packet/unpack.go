package packet

import (
	"encoding/binary"
	"math"
	"strconv"
)

// kind is what a msgpack value is, however many bytes its head has.
type kind uint8

const (
	kindNone  kind = iota // a fault
	kindNil               // head's number: nothing
	kindBool              // 0 or 1
	kindUint              // the value
	kindInt               // the value as int64
	kindFloat             // the bits of a float64
	kindText              // length in bytes
	kindBytes             // length
	kindArray             // number of elements
	kindMap               // number of pairs
	kindFixed             // extension of fixed size: length, type not included
	kindExt               // extension of any size: length, type not included
)

// head reads the first bytes of a value: what it is, and a number that belongs
// to that. The formats are those of the MessagePack specification.
func (u *unpacker) head() (kind, uint64) {
	if u.err != nil || u.i == len(u.p) {
		u.fail(u.i, ErrMsgpack)
		return kindNone, 0
	}
	c := u.p[u.i]
	u.i++
	switch {
	case c < 0x80:
		return kindUint, uint64(c)
	case c < 0x90:
		return kindMap, uint64(c & 0x0f)
	case c < 0xa0:
		return kindArray, uint64(c & 0x0f)
	case c < 0xc0:
		return kindText, uint64(c & 0x1f)
	case c >= 0xe0:
		return kindInt, uint64(int8(c))
	}
	return u.longHead(c)
}

func (u *unpacker) longHead(c byte) (kind, uint64) {
	switch c {
	case 0xc0:
		return kindNil, 0
	case 0xc2, 0xc3:
		return kindBool, uint64(c & 1)
	case 0xc4, 0xc5, 0xc6:
		return kindBytes, u.uint(1 << (c - 0xc4))
	case 0xc7, 0xc8, 0xc9:
		return kindExt, u.uint(1 << (c - 0xc7))
	case 0xca:
		f := math.Float32frombits(uint32(u.uint(4)))
		return kindFloat, math.Float64bits(float64(f))
	case 0xcb:
		return kindFloat, u.uint(8)
	case 0xcc, 0xcd, 0xce, 0xcf:
		return kindUint, u.uint(1 << (c - 0xcc))
	case 0xd0, 0xd1, 0xd2, 0xd3:
		size := 1 << (c - 0xd0)
		unused := 64 - 8*size
		return kindInt, uint64(int64(u.uint(size)<<unused) >> unused)
	case 0xd4, 0xd5, 0xd6, 0xd7, 0xd8:
		return kindFixed, 1 << (c - 0xd4)
	case 0xd9, 0xda, 0xdb:
		return kindText, u.uint(1 << (c - 0xd9))
	case 0xdc, 0xdd:
		return kindArray, u.uint(2 << (c - 0xdc))
	case 0xde, 0xdf:
		return kindMap, u.uint(2 << (c - 0xde))
	}
	u.fail(u.i-1, ErrMsgpack)
	return kindNone, 0
}

// uint reads a big-endian number of 1, 2, 4 or 8 bytes.
func (u *unpacker) uint(size int) uint64 {
	b := u.take(uint64(size))
	switch len(b) {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.BigEndian.Uint16(b))
	case 4:
		return uint64(binary.BigEndian.Uint32(b))
	case 8:
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// take returns the next n bytes, nil if there are not that many.
func (u *unpacker) take(n uint64) []byte {
	if u.err != nil || n > uint64(len(u.p)-u.i) {
		u.fail(len(u.p), ErrMsgpack)
		return nil
	}
	start := u.i
	u.i += int(n)
	return u.p[start:u.i:u.i]
}

// value appends the next value as JSON.
func (u *unpacker) value(depth int) {
	switch k, n := u.head(); k {
	case kindText:
		u.out = appendQuoted(u.out, u.take(n))
	case kindBytes:
		u.attach(u.take(n))
	case kindArray:
		u.array(n, depth-1)
	case kindMap:
		u.object(n, depth-1)
	case kindFixed, kindExt:
		u.extension(k, n)
	case kindFloat:
		if f := math.Float64frombits(n); math.IsNaN(f) || math.IsInf(f, 0) {
			k = kindNil
		}
		u.scalar(k, n)
	default:
		u.scalar(k, n)
	}
}

// scalar appends what has no bytes behind its head, as JavaScript prints it.
func (u *unpacker) scalar(k kind, n uint64) {
	switch k {
	case kindNil:
		u.out = append(u.out, "null"...)
	case kindBool:
		u.out = strconv.AppendBool(u.out, n == 1)
	case kindUint:
		u.out = strconv.AppendUint(u.out, n, 10)
	case kindInt:
		u.out = strconv.AppendInt(u.out, int64(n), 10)
	case kindFloat:
		u.out = appendNumber(u.out, math.Float64frombits(n))
	default:
		u.fail(u.i, ErrMsgpack)
	}
}

func (u *unpacker) array(n uint64, depth int) {
	if depth < 0 {
		u.fail(u.i, ErrDepth)
	}
	u.out = append(u.out, '[')
	for i := uint64(0); i < n && u.err == nil; i++ {
		if i > 0 {
			u.out = append(u.out, ',')
		}
		u.value(depth)
	}
	u.out = append(u.out, ']')
}

func (u *unpacker) object(n uint64, depth int) {
	if depth < 0 {
		u.fail(u.i, ErrDepth)
	}
	u.out = append(u.out, '{')
	for first := true; n > 0 && u.err == nil; n-- {
		before := len(u.out)
		if !first {
			u.out = append(u.out, ',')
		}
		u.objectKey()
		if u.undefined() {
			u.out = u.out[:before]
			continue
		}
		u.out = append(u.out, ':')
		u.value(depth)
		first = false
	}
	u.out = append(u.out, '}')
}

// objectKey appends a key: any scalar, turned into a string.
func (u *unpacker) objectKey() {
	k, n := u.head()
	if k == kindText {
		u.out = appendQuoted(u.out, u.take(n))
		return
	}
	u.out = append(u.out, '"')
	u.scalar(k, n)
	u.out = append(u.out, '"')
}

// attach appends a placeholder and keeps b for it.
func (u *unpacker) attach(b []byte) {
	if len(u.attachments) >= u.o.MaxAttachments {
		u.fail(u.i, ErrAttachments)
	}
	if u.bytes += len(b); u.bytes > u.o.MaxBytes {
		u.fail(u.i, ErrTooLarge)
	}
	u.out = appendPlaceholder(u.out, len(u.attachments))
	u.attachments = append(u.attachments, b)
}
