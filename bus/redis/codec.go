package redis

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/seed-09a96375/belfry"
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
// a line of decimal numbers in place of fields.
const bodyVersion = 1

type bodyKind byte

const (
	kindMessage bodyKind = 1
	kindReply   bodyKind = 2
	kindProbe   bodyKind = 3 // probe number, seq, its time
	kindMark    bodyKind = 4 // serial, seq, its time, replication id, counter
	kindCheck   bodyKind = 5 // serial, then last numbers
	kindSession bodyKind = 6
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
		if err := f(field, value); err != nil {
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

// encodeMessage writes m, which node origin publishes as its number count.
func encodeMessage(m *belfry.Message, origin belfry.NodeID, count uint64) []byte {
	e := newEncoder(kindMessage, sizeOf(m)+len(origin))
	e.text(fieldOrigin, string(origin)) // these two come first, see peekOrigin
	e.number(fieldCount, count)
	e.number(fieldKind, uint64(m.Kind))
	e.text(fieldNamespace, m.Namespace)
	for _, r := range m.Target.Rooms {
		e.string(fieldRoom, string(r))
	}
	for _, r := range m.Target.Except {
		e.string(fieldExcept, string(r))
	}
	for _, r := range m.Rooms {
		e.string(fieldRooms, string(r))
	}
	e.number(fieldFlags, flagsOf(m))
	e.number(fieldRequest, uint64(m.Request))
	e.number(fieldTimeout, uint64(max(m.Timeout, 0)))
	e.text(fieldTo, string(m.To))
	if m.Data != nil {
		e.bytes(fieldData, m.Data)
	}
	for _, a := range m.Attachments {
		e.bytes(fieldAttachment, a)
	}
	return e
}

func sizeOf(m *belfry.Message) int {
	n := 64 + len(m.Namespace) + len(m.Data)
	for _, a := range m.Attachments {
		n += len(a) + 8
	}
	for _, rooms := range [][]belfry.Room{m.Target.Rooms, m.Target.Except, m.Rooms} {
		for _, r := range rooms {
			n += len(r) + 4
		}
	}
	return n
}

func flagsOf(m *belfry.Message) uint64 {
	var flags uint64
	for _, f := range []struct {
		set bool
		bit uint64
	}{
		{m.CloseTransport, flagCloseTransport},
		{m.Volatile, flagVolatile},
		{m.NoCompress, flagNoCompress},
		{m.Unlogged, flagUnlogged},
	} {
		if f.set {
			flags |= f.bit
		}
	}
	return flags
}

// decodeMessage reads a message. Its bytes are parts of body.
func decodeMessage(body []byte) (m *belfry.Message, count uint64, err error) {
	m = &belfry.Message{}
	err = fields(body, kindMessage, func(field uint64, v []byte) error {
		if field == fieldCount {
			count, err = uvarint(v)
			return err
		}
		return messageField(m, field, v)
	})
	if err == nil && m.Kind > belfry.Release {
		err = fmt.Errorf("kind %d: %w", m.Kind, errVersion)
	}
	if err != nil {
		return nil, 0, err
	}
	return m, count, nil
}

func messageField(m *belfry.Message, field uint64, v []byte) error {
	switch field {
	case fieldOrigin:
		m.Origin = belfry.NodeID(v)
	case fieldTo:
		m.To = belfry.NodeID(v)
	case fieldNamespace:
		m.Namespace = string(v)
	case fieldRoom:
		m.Target.Rooms = append(m.Target.Rooms, belfry.Room(v))
	case fieldExcept:
		m.Target.Except = append(m.Target.Except, belfry.Room(v))
	case fieldRooms:
		m.Rooms = append(m.Rooms, belfry.Room(v))
	case fieldData:
		m.Data = v[:len(v):len(v)]
	case fieldAttachment:
		m.Attachments = append(m.Attachments, v[:len(v):len(v)])
	case fieldKind, fieldFlags, fieldRequest, fieldTimeout:
		n, err := uvarint(v)
		if err != nil {
			return err
		}
		messageNumber(m, field, n)
	}
	return nil
}

func messageNumber(m *belfry.Message, field, n uint64) {
	switch field {
	case fieldKind:
		m.Kind = belfry.Kind(min(n, 255))
	case fieldFlags:
		m.CloseTransport = n&flagCloseTransport != 0
		m.Volatile = n&flagVolatile != 0
		m.NoCompress = n&flagNoCompress != 0
		m.Unlogged = n&flagUnlogged != 0
	case fieldRequest:
		m.Request = belfry.RequestID(n)
	case fieldTimeout:
		m.Timeout = time.Duration(min(n, 1<<62))
	}
}

// peekOrigin returns sender and number of a message without reading the rest.
func peekOrigin(body []byte) (origin []byte, count uint64, ok bool) {
	err := fields(body, kindMessage, func(field uint64, v []byte) (err error) {
		switch field {
		case fieldOrigin:
			origin = v
			return nil
		case fieldCount:
			if count, err = uvarint(v); err == nil {
				ok = true
			}
		}
		return errStop
	})
	return origin, count, ok && errors.Is(err, errStop)
}

func encodeReply(r *belfry.Reply) []byte {
	e := newEncoder(kindReply, 64+len(r.Body))
	e.text(fieldOrigin, string(r.From))
	e.number(fieldRequest, uint64(r.Request))
	e.text(fieldError, r.Err)
	if r.Body != nil {
		e.bytes(fieldData, r.Body)
	}
	for _, a := range r.Attachments {
		e.bytes(fieldAttachment, a)
	}
	return e
}

func decodeReply(body []byte) (*belfry.Reply, error) {
	r := &belfry.Reply{}
	err := fields(body, kindReply, func(field uint64, v []byte) error {
		switch field {
		case fieldOrigin:
			r.From = belfry.NodeID(v)
		case fieldError:
			r.Err = string(v)
		case fieldData:
			r.Body = v[:len(v):len(v)]
		case fieldAttachment:
			r.Attachments = append(r.Attachments, v[:len(v):len(v)])
		case fieldRequest:
			n, err := uvarint(v)
			r.Request = belfry.RequestID(n)
			return err
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// encodeSession leaves out id and namespace: they are in the key, hashed.
func encodeSession(s *belfry.Session) []byte {
	e := newEncoder(kindSession, 64+len(s.Data)+32*len(s.Rooms))
	e.text(fieldSocket, string(s.Socket))
	e.text(fieldSince, string(s.Since))
	for _, m := range s.Rooms {
		e.string(fieldMemberRoom, string(m.Room))
		e.text(fieldMemberSince, string(m.Since))
	}
	if s.Data != nil {
		e.bytes(fieldData, s.Data)
	}
	return e
}

func decodeSession(body []byte) (*belfry.Session, error) {
	s := &belfry.Session{}
	err := fields(body, kindSession, func(field uint64, v []byte) error {
		switch field {
		case fieldSocket:
			s.Socket = belfry.SocketID(v)
		case fieldSince:
			s.Since = belfry.Offset(v)
		case fieldData:
			s.Data = append([]byte{}, v...)
		case fieldMemberRoom:
			s.Rooms = append(s.Rooms, belfry.Membership{Room: belfry.Room(v)})
		case fieldMemberSince:
			if len(s.Rooms) == 0 {
				return errBody
			}
			s.Rooms[len(s.Rooms)-1].Since = belfry.Offset(v)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}
