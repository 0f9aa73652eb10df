package redis

import (
	"errors"
	"fmt"
	"time"

	"github.com/seed-09a96375/belfry"
)

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

// isEmit reports whether a body is that of an event, by its first fields.
func isEmit(body []byte) bool {
	emit := true
	err := fields(body, kindMessage, func(field uint64, _ []byte) error {
		switch field {
		case fieldOrigin, fieldCount:
			return nil
		case fieldKind:
			emit = false
		}
		return errStop
	})
	return emit && (err == nil || errors.Is(err, errStop))
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
