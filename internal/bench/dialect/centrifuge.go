package dialect

import (
	"bytes"
	"strconv"
)

// centrifuge is the bidirectional JSON protocol of the centrifuge library: JSON
// objects, several to a message with a newline between them.
type centrifuge struct{}

// Requests are numbered from 1: 1 connects, the others follow.
const (
	connectID = 1
	firstID   = 2
)

func (centrifuge) Append(dst []byte, r Request) []byte {
	id := r.ID + firstID
	switch r.Verb {
	case Hello:
		dst, id = append(dst, `{"connect":{}`...), connectID
	case Join:
		dst = append(append(dst, `{"subscribe":{"channel":"`...), r.Room...)
		dst = append(dst, `"}`...)
	case Say:
		dst = append(append(dst, `{"publish":{"channel":"`...), r.Room...)
		dst = append(append(dst, `","data":"`...), r.Payload...)
		dst = append(dst, `"}`...)
	case Echo:
		dst = append(append(dst, `{"rpc":{"method":"echo","data":"`...), r.Payload...)
		dst = append(dst, `"}`...)
	}
	dst = strconv.AppendUint(append(dst, `,"id":`...), uint64(id), 10)
	return append(dst, '}')
}

func (centrifuge) Parse(p []byte) (e Event, rest []byte) {
	line, rest, _ := bytes.Cut(p, newline)
	switch {
	case string(line) == "{}":
		return Event{Kind: Ping, Payload: line}, rest
	case bytes.HasPrefix(line, pushPrefix):
		return push(line[len(pushPrefix):]), rest
	case bytes.HasPrefix(line, replyPrefix):
		return reply(line[len(replyPrefix):]), rest
	}
	return Event{Kind: Bad}, rest
}

// Read only.
var (
	newline     = []byte("\n")
	pushPrefix  = []byte(`{"push":{`)
	replyPrefix = []byte(`{"id":`)
	dataField   = []byte(`"data":`)
)

// push reads what the server sends of its own accord, behind pushPrefix.
func push(p []byte) Event {
	if bytes.HasPrefix(p, []byte(`"disconnect"`)) {
		return Event{Kind: Closed}
	}
	if !bytes.Contains(p, []byte(`"pub":`)) {
		return Event{}
	}
	payload, ok := data(p)
	if !ok {
		return Event{Kind: Bad}
	}
	return Event{Kind: Message, Payload: payload}
}

// reply reads the answer to a request, behind replyPrefix.
func reply(p []byte) Event {
	id, p, ok := leadingNumber(p)
	switch {
	case !ok || id == 0:
		return Event{Kind: Bad}
	case bytes.HasPrefix(p, []byte(`,"error":`)):
		return Event{Kind: Refused, Payload: p[1:]}
	case id == connectID:
		return Event{Kind: Connected}
	case bytes.HasPrefix(p, []byte(`,"publish":`)):
		return Event{}
	}
	payload, _ := data(p)
	return Event{Kind: Ack, ID: id - firstID, Payload: payload}
}

// data returns the string in the first data field.
func data(p []byte) ([]byte, bool) {
	i := bytes.Index(p, dataField)
	if i < 0 {
		return nil, false
	}
	s, _, ok := firstString(p[i+len(dataField):])
	return s, ok
}
