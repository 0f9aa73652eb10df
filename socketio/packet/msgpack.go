package packet

import (
	"errors"
	"math"
	"slices"
	"unicode/utf8"
)

// DecodeMsgpack reads one packet of socket.io-msgpack-parser 3.0: a msgpack map
// with the keys type (0 to 4), data, nsp and id; others are left out of account.
//
// The payload becomes JSON. bin becomes a placeholder and one of Attachments,
// which alias p; if there are any, the type is binary. nil, NaN and infinities
// become null; a key that is a number, a boolean or nil becomes a string; invalid
// UTF-8 in text becomes U+FFFD. Of the extensions that notepack.io 2 writes,
// undefined becomes null, and is left out as the value of a key; dates, and
// timestamps of the msgpack specification, become strings as Date.toISOString
// makes them; an ArrayBuffer is an attachment. Any other extension becomes an
// array of its number and an attachment, as notepack.io reads it.
//
// It accepts what the JavaScript decoder accepts, but for: names of events are
// checked as those of Decode are, because the packet may go on to clients that
// check them; the number of attachments is limited, for the same reason; the
// namespace begins with a slash; ids are not negative; keys are not arrays or
// maps.
func DecodeMsgpack(p []byte, o Options) (Packet, error) {
	u := unpacker{p: p, o: o.withDefaults()}
	pkt, hasData := u.packet()
	if u.err == nil && u.i != len(p) {
		u.fail(u.i, ErrMsgpack)
	}
	if u.err == nil {
		u.checkData(&pkt, hasData)
	}
	if u.err != nil {
		return Packet{}, fail(u.err, u.at)
	}
	if n := len(pkt.Attachments); n > 0 && (pkt.Type == Event || pkt.Type == Ack) {
		pkt.Type += BinaryEvent - Event
		pkt.Count = n
	}
	return pkt, nil
}

// unpacker turns msgpack into JSON. After a fault it goes on reading zeros.
type unpacker struct {
	p           []byte
	i           int // where the next value starts
	o           Options
	out         []byte // JSON
	attachments [][]byte
	bytes       int // of attachments

	data int // where the payload starts in p

	err error // one of the Err values
	at  int
}

func (u *unpacker) fail(at int, err error) {
	if u.err == nil {
		u.err, u.at = err, at
	}
}

// packet reads the outermost map.
func (u *unpacker) packet() (pkt Packet, hasData bool) {
	k, n := u.head()
	if k != kindMap {
		u.fail(0, ErrMsgpack)
	}
	pkt.Type = math.MaxUint8
	for ; n > 0 && u.err == nil; n-- {
		switch key := string(u.key()); {
		case u.err != nil:
		case key == "type":
			pkt.Type = u.packetType()
		case key == "nsp":
			pkt.Namespace = u.namespace()
		case key == "id":
			pkt.ID, pkt.HasID = u.id()
		case key == "data":
			pkt.Data, pkt.Attachments = u.payload()
			hasData = pkt.Data != nil
		default:
			u.skip()
		}
	}
	if pkt.Type == math.MaxUint8 {
		u.fail(0, ErrType)
	}
	if pkt.Namespace == "" {
		u.fail(0, ErrNamespace)
	}
	return pkt, hasData
}

// key reads a key of the outermost map.
func (u *unpacker) key() []byte {
	k, n := u.head()
	if k != kindText {
		u.fail(u.i, ErrMsgpack)
	}
	return u.take(n)
}

// payload reads the value of data; nil if that is undefined. Keys may be
// repeated: the last counts, and memory is allocated once.
func (u *unpacker) payload() (data []byte, attachments [][]byte) {
	u.out, u.attachments, u.bytes, u.data = u.out[:0], nil, 0, u.i
	if u.undefined() {
		return nil, nil
	}
	if u.out == nil {
		u.out = make([]byte, 0, len(u.p)+len(u.p)/2)
	}
	u.value(u.o.MaxDepth)
	return slices.Clip(u.out), u.attachments
}

// skip reads over a value that does not matter.
func (u *unpacker) skip() {
	other := unpacker{p: u.p, i: u.i, o: u.o}
	other.value(u.o.MaxDepth)
	u.i = other.i
	if other.err != nil {
		u.fail(other.at, other.err)
	}
}

func (u *unpacker) packetType() Type {
	at := u.i
	n, ok := u.integer()
	if !ok || n > uint64(ConnectError) {
		u.fail(at, ErrType)
	}
	return Type(n)
}

func (u *unpacker) id() (uint64, bool) {
	if u.undefined() {
		return 0, false
	}
	at := u.i
	n, ok := u.integer()
	if !ok {
		u.fail(at, ErrID)
	}
	return n, true
}

// integer reads what JavaScript takes for a non-negative integer.
func (u *unpacker) integer() (uint64, bool) {
	switch k, n := u.head(); k {
	case kindUint:
		return n, true
	case kindInt:
		return n, int64(n) >= 0
	case kindFloat:
		f := math.Float64frombits(n)
		return uint64(f), f >= 0 && f < 1<<63 && f == math.Trunc(f)
	}
	return 0, false
}

func (u *unpacker) namespace() string {
	at := u.i
	k, n := u.head()
	if k != kindText {
		u.fail(at, ErrNamespace)
		return ""
	}
	name := u.take(n)
	switch {
	case len(name) == 0 || name[0] != '/':
		u.fail(at, ErrNamespace)
		return ""
	case !utf8.Valid(name):
		u.fail(at, ErrUTF8)
		return ""
	}
	return u.o.namespace(name)
}

// checkData applies the rules of the packet type to the payload.
func (u *unpacker) checkData(pkt *Packet, hasData bool) {
	if !hasData {
		if pkt.Type != Connect && pkt.Type != Disconnect {
			u.fail(0, ErrPayload)
		}
		return
	}
	err := checkPayload(pkt.Type, pkt.Data, 0)
	if err == nil && len(pkt.Attachments) > 0 {
		l := layout{p: pkt.Data}
		l.value(0)
		err = l.check(len(pkt.Attachments), 0)
		if l.spans[0].start == 0 {
			err = fail(ErrPayload, 0) // nothing but an attachment
		}
	}
	var at *Error
	if errors.As(err, &at) {
		u.fail(u.data, at.Err)
	}
}
