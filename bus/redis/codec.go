package redis

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The bodies of what travels and is kept:
//
//	byte 0   version, 1
//	byte 1   what it is, see bodyKind
//	then     fields: uvarint number, uvarint length, that many bytes
//
// Numbers inside a field are uvarints. Fields that are zero are left out; those
// of a list come once for each element, in order. Unknown fields are skipped, so
// a newer node may add some. A new version is for what older nodes must not
// read; they ignore it. Probes, marks and checks are written by scripts and have
// a line of decimal numbers in place of fields; a batch has messages.
const bodyVersion = 1

type bodyKind byte

const (
	kindMessage bodyKind = 1
	kindReply   bodyKind = 2
	kindProbe   bodyKind = 3 // probe number, seq, its time
	kindMark    bodyKind = 4 // serial, seq, its time, replication id, counter, number before the epoch
	kindCheck   bodyKind = 5 // serial, then last numbers
	kindSession bodyKind = 6
	kindBatch   bodyKind = 7 // messages, see codec_batch.go
	kindHole    bodyKind = 8 // what an earlier epoch had and the log has not, see hole.go
)

// Fields. Numbers are never reused.
const (
	fieldOrigin      = 1 // message, reply: the sender
	fieldCount       = 2 // message: the sender's own number of it
	fieldKind        = 3
	fieldNamespace   = 4
	fieldRoom        = 5 // message: of the target; session: a membership
	fieldExcept      = 6
	fieldData        = 7 // message, session: data; reply: body
	fieldAttachment  = 8
	fieldRooms       = 9
	fieldFlags       = 10
	fieldRequest     = 11
	fieldTimeout     = 12 // nanoseconds
	fieldID          = 13 // reserved: idempotency
	fieldError       = 14
	fieldSocket      = 15
	fieldSince       = 16
	fieldMemberRoom  = 17
	fieldMemberSince = 18
	fieldTo          = 19
	fieldAgain       = 20 // message, last: sent again, see againMark
	fieldCounter     = 21 // hole: of the epoch
	fieldReached     = 22 // hole
)

const (
	flagCloseTransport = 1 << iota
	flagVolatile
	flagNoCompress
	flagUnlogged
)

var (
	errVersion  = errors.New("body of another version")
	errBody     = errors.New("malformed body")
	errBodyKind = errors.New("body of another kind")
	errStop     = errors.New("read enough")
)

type encoder []byte

func newEncoder(k bodyKind, size int) encoder {
	return append(make(encoder, 0, size), bodyVersion, byte(k))
}

func (e *encoder) bytes(field uint64, b []byte) {
	*e = binary.AppendUvarint(*e, field)
	*e = binary.AppendUvarint(*e, uint64(len(b)))
	*e = append(*e, b...)
}

func (e *encoder) string(field uint64, s string) {
	*e = binary.AppendUvarint(*e, field)
	*e = binary.AppendUvarint(*e, uint64(len(s)))
	*e = append(*e, s...)
}

func (e *encoder) text(field uint64, s string) {
	if s != "" {
		e.string(field, s)
	}
}

func (e *encoder) number(field, n uint64) {
	if n != 0 {
		var b [binary.MaxVarintLen64]byte
		e.bytes(field, binary.AppendUvarint(b[:0], n))
	}
}

// fields calls f for each field of a body of kind k.
func fields(body []byte, k bodyKind, f func(field uint64, value []byte) error) error {
	switch {
	case len(body) < 2:
		return errBody
	case body[0] != bodyVersion:
		return errVersion
	case bodyKind(body[1]) != k:
		return errBodyKind
	}
	rest := body[2:]
	for len(rest) > 0 {
		field, n := binary.Uvarint(rest)
		if n <= 0 {
			return errBody
		}
		length, k := binary.Uvarint(rest[n:])
		if k <= 0 || length > uint64(len(rest)-n-k) {
			return errBody
		}
		value := rest[n+k : n+k+int(length)]
		switch err := f(field, value); {
		case err == errStop: //nolint:errorlint // as it is: on the path of every message
			return err
		case err != nil:
			return fmt.Errorf("field %d: %w", field, err)
		}
		rest = rest[n+k+int(length):]
	}
	return nil
}

func uvarint(value []byte) (uint64, error) {
	n, k := binary.Uvarint(value)
	if k <= 0 || k != len(value) {
		return 0, errBody
	}
	return n, nil
}
