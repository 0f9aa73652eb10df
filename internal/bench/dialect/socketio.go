package dialect

import (
	"bytes"
	"strconv"
)

// socketIO is Socket.IO protocol 5 on the main namespace, over Engine.IO
// protocol 4; each Engine.IO packet is one WebSocket message.
type socketIO struct{}

func (socketIO) Append(dst []byte, r Request) []byte {
	switch r.Verb {
	case Hello:
		return appendClaim(append(dst, "40"...), r)
	case Join:
		dst = appendEvent(dst, `["join","`, r.ID)
		return append(append(dst, r.Room...), `"]`...)
	case Say:
		dst = append(append(dst, `42["say","`...), r.Room...)
		return append(append(append(dst, `","`...), r.Payload...), `"]`...)
	case Echo:
		dst = appendEvent(dst, `["echo","`, r.ID)
		return append(append(dst, r.Payload...), `"]`...)
	}
	return dst
}

// appendClaim appends what a client shows to get its session back.
func appendClaim(dst []byte, r Request) []byte {
	if len(r.Session) == 0 {
		return dst
	}
	dst = append(append(dst, `{"pid":"`...), r.Session...)
	if len(r.Offset) > 0 {
		dst = append(append(dst, `","offset":"`...), r.Offset...)
	}
	return append(dst, `"}`...)
}

// appendEvent begins an event that wants an ack.
func appendEvent(dst []byte, begin string, id uint32) []byte {
	dst = strconv.AppendUint(append(dst, "42"...), uint64(id), 10)
	return append(dst, begin...)
}

func (socketIO) Parse(p []byte) (e Event, rest []byte) {
	if len(p) == 0 {
		return Event{Kind: Bad}, nil
	}
	switch p[0] {
	case '0':
		return Event{Kind: Open}, nil
	case '1':
		return Event{Kind: Closed}, nil
	case '2':
		return Event{Kind: Ping, Payload: pong}, nil
	case '4':
		return packet(p[1:]), nil
	case 'b', '3', '5', '6':
		return Event{}, nil
	}
	return Event{Kind: Bad}, nil
}

var pong = []byte("3") // read only

// packet reads a Socket.IO packet.
func packet(p []byte) Event {
	if len(p) == 0 {
		return Event{Kind: Bad}
	}
	switch p[0] {
	case '0':
		return Event{Kind: Connected, Payload: session(p[1:])}
	case '1':
		return Event{Kind: Closed}
	case '2':
		return event(p[1:])
	case '3':
		return ack(p[1:])
	case '4':
		return Event{Kind: Refused, Payload: p[1:]}
	case '5', '6':
		return Event{}
	}
	return Event{Kind: Bad}
}

var pidField = []byte(`"pid":`) // read only

// session reads the secret of the session from the answer to a Hello; nil if
// there is none.
func session(p []byte) []byte {
	i := bytes.Index(p, pidField)
	if i < 0 {
		return nil
	}
	pid, _, _ := firstString(p[i+len(pidField):])
	return pid
}

// event reads the JSON array of an event: ["msg","payload"], perhaps with an
// offset after the payload.
func event(p []byte) Event {
	name, p, ok := firstString(p)
	if !ok || string(name) != "msg" {
		return Event{}
	}
	payload, p, ok := firstString(p)
	if !ok {
		return Event{Kind: Bad}
	}
	offset, _, _ := firstString(p)
	return Event{Kind: Message, Payload: payload, Offset: offset}
}

// ack reads the id and the array of an ack.
func ack(p []byte) Event {
	id, p, ok := leadingNumber(p)
	if !ok {
		return Event{Kind: Bad}
	}
	payload, _, _ := firstString(p)
	return Event{Kind: Ack, ID: id, Payload: payload}
}

// leadingNumber reads the decimal digits at the front of p.
func leadingNumber(p []byte) (n uint32, rest []byte, ok bool) {
	i := 0
	for ; i < len(p) && p[i] >= '0' && p[i] <= '9'; i++ {
		if n > (1<<32-1-9)/10 {
			return 0, nil, false
		}
		n = n*10 + uint32(p[i]-'0')
	}
	return n, p[i:], i > 0
}

// firstString returns what stands between the first two quotes. The strings of
// a benchmark hold no escapes.
func firstString(p []byte) (s, rest []byte, ok bool) {
	i := bytes.IndexByte(p, '"')
	if i < 0 {
		return nil, nil, false
	}
	p = p[i+1:]
	i = bytes.IndexByte(p, '"')
	if i < 0 {
		return nil, nil, false
	}
	return p[:i], p[i+1:], true
}
