package packet

import (
	"bytes"
	"math"
	"strconv"

	"github.com/tinylib/msgp/msgp"
)

// AppendMsgpack appends p as socket.io-msgpack-parser expects it: a map of type
// (0 to 4), data, nsp and, if there is one, id. Placeholders become bin. Numbers
// have the smallest form of integer that holds them, or else float64; the order
// of keys is kept.
//
// An Event or Ack without payload gets an empty array, as decoders insist on
// one. An *Error says what is wrong with p.Data.
func AppendMsgpack(dst []byte, p *Packet) ([]byte, error) {
	data := p.Data
	t := p.Type.Plain()
	if data == nil && (t == Event || t == Ack) {
		data = []byte("[]")
	}
	w := packer{
		layout:      layout{p: data, wantCounts: true, plain: len(p.Attachments) == 0},
		attachments: p.Attachments,
		dst:         dst,
	}
	if data != nil {
		if err := w.prepare(); err != nil {
			return dst, err
		}
	}
	w.header(p, t, data != nil)
	if data != nil {
		w.dst = msgp.AppendString(w.dst, "data")
		w.value(0)
	}
	return w.dst, nil
}

// packer turns JSON into msgpack. What msgpack wants to know in advance, the
// number of elements and which objects are placeholders, comes from a first walk.
type packer struct {
	layout
	attachments [][]byte
	dst         []byte
	scratch     []byte // of unquoted strings
}

// prepare checks and measures the payload.
func (w *packer) prepare() error {
	if err := checkJSON(w.p, maxUnmarshalDepth, 0); err != nil {
		return err
	}
	w.layout.value(0)
	return w.check(len(w.attachments), 0)
}

// header appends everything but the payload.
func (w *packer) header(p *Packet, t Type, hasData bool) {
	n := uint32(2)
	if hasData {
		n++
	}
	if p.HasID {
		n++
	}
	w.dst = msgp.AppendMapHeader(w.dst, n)
	w.dst = msgp.AppendUint8(msgp.AppendString(w.dst, "type"), uint8(t))
	namespace := p.Namespace
	if namespace == "" {
		namespace = "/"
	}
	w.dst = msgp.AppendString(msgp.AppendString(w.dst, "nsp"), namespace)
	if p.HasID {
		w.dst = msgp.AppendUint64(msgp.AppendString(w.dst, "id"), p.ID)
	}
}

// value appends the value at or after i and returns the index behind it.
func (w *packer) value(i int) int {
	i = skipSpace(w.p, i)
	switch w.p[i] {
	case '{':
		if len(w.spans) > 0 && w.spans[0].start == i {
			return w.attachment()
		}
		w.dst = msgp.AppendMapHeader(w.dst, w.count())
		return w.members(i)
	case '[':
		w.dst = msgp.AppendArrayHeader(w.dst, w.count())
		return w.elements(i)
	}
	end := skipValue(w.p, i)
	w.scalar(w.p[i:end])
	return end
}

// count returns the size of the next array or object.
func (w *packer) count() uint32 {
	n := w.counts[0]
	w.counts = w.counts[1:]
	return n
}

func (w *packer) attachment() int {
	s := w.spans[0]
	w.spans = w.spans[1:]
	w.dst = msgp.AppendBytes(w.dst, w.attachments[s.num])
	return s.end
}

func (w *packer) elements(i int) int {
	if i = skipSpace(w.p, i+1); w.p[i] == ']' {
		return i + 1
	}
	for {
		if i = skipSpace(w.p, w.value(i)); w.p[i] == ']' {
			return i + 1
		}
		i++
	}
}

func (w *packer) members(i int) int {
	if i = skipSpace(w.p, i+1); w.p[i] == '}' {
		return i + 1
	}
	for {
		end := skipString(w.p, i)
		w.scalar(w.p[i:end])
		colon := skipSpace(w.p, end)
		if i = skipSpace(w.p, w.value(colon+1)); w.p[i] == '}' {
			return i + 1
		}
		i = skipSpace(w.p, i+1)
	}
}

func (w *packer) scalar(s []byte) {
	switch s[0] {
	case '"':
		w.text(s)
	case 't', 'f':
		w.dst = msgp.AppendBool(w.dst, s[0] == 't')
	case 'n':
		w.dst = msgp.AppendNil(w.dst)
	default:
		w.number(s)
	}
}

func (w *packer) text(quoted []byte) {
	s := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(s, '\\') >= 0 {
		w.scratch = appendUnquoted(w.scratch[:0], s)
		s = w.scratch
	}
	w.dst = msgp.AppendStringFromBytes(w.dst, s)
}

// number appends what JavaScript makes of a number: 1.0 and 1e2 are integers.
func (w *packer) number(s []byte) {
	digits := s
	if s[0] == '-' {
		digits = s[1:]
	}
	if skipDigits(digits, 0) == len(digits) && w.integer(s) {
		return
	}
	f, _ := strconv.ParseFloat(string(s), 64) // out of range is infinite, as there
	if f == math.Trunc(f) && math.Abs(f) <= 1<<53 {
		w.dst = appendInt(w.dst, int64(f))
		return
	}
	w.dst = msgp.AppendFloat64(w.dst, f)
}

// integer appends a number without fraction and exponent if 64 bits hold it.
func (w *packer) integer(s []byte) bool {
	if i, err := strconv.ParseInt(string(s), 10, 64); err == nil {
		w.dst = appendInt(w.dst, i)
		return true
	}
	u, err := strconv.ParseUint(string(s), 10, 64)
	if err == nil {
		w.dst = msgp.AppendUint64(w.dst, u)
	}
	return err == nil
}

// appendInt takes the unsigned forms for what is not negative: they are shorter.
func appendInt(dst []byte, i int64) []byte {
	if i >= 0 {
		return msgp.AppendUint64(dst, uint64(i))
	}
	return msgp.AppendInt64(dst, i)
}
