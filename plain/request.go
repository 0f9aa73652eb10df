package plain

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/socketio/packet"
)

// request is what a client asks for: one of its pointers is set.
type request struct {
	ID       json.RawMessage `json:"id"` // a number or a text; nil: no answer is wanted
	Connect  *connectRequest `json:"connect"`
	Join     *joinRequest    `json:"join"`
	Leave    *roomRequest    `json:"leave"`
	Publish  *publishRequest `json:"publish"`
	Event    *eventRequest   `json:"event"`
	Presence *roomRequest    `json:"presence"`
	History  *HistoryQuery   `json:"history"`
	Refresh  *refreshRequest `json:"refresh"`
	Ack      *ackRequest     `json:"ack"`
	Ping     *struct{}       `json:"ping"`
}

type connectRequest struct {
	Token  string         `json:"token"`
	Rooms  []belfry.Room  `json:"rooms"`
	Offset *belfry.Offset `json:"offset"`
}

type joinRequest struct {
	Room   belfry.Room     `json:"room"`
	Rooms  []belfry.Room   `json:"rooms"`
	Offset *belfry.Offset  `json:"offset"`
	Meta   json.RawMessage `json:"meta"`
}

type roomRequest struct {
	Room belfry.Room `json:"room"`
}

type publishRequest struct {
	Room   belfry.Room     `json:"room"`
	Event  string          `json:"event"`
	Args   json.RawMessage `json:"args"`
	ID     string          `json:"id"`
	Others bool            `json:"others"`
}

type eventRequest struct {
	Name string          `json:"name"`
	Args json.RawMessage `json:"args"`
	ID   string          `json:"id"`
}

type refreshRequest struct {
	Token string `json:"token"`
}

type ackRequest struct {
	ID   uint64          `json:"id"`
	Args json.RawMessage `json:"args"`
}

const (
	maxID   = 128 // of a request, bytes
	maxRoom = 512 // bytes of a name
	maxMeta = 4 << 10
)

const shape = `one of connect, join, leave, publish, event, presence, history, refresh, ack, ping, like {"id":1,"join":{"room":"lobby"}}`

// decodeRequest reads one message of a client. With an error the ID is there if it
// could be read, so that the client knows what the error is about.
func decodeRequest(raw []byte) (*request, error) {
	r := new(request)
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(r); err != nil {
		return looseID(raw), decodeError(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return looseID(raw), &Error{Code: codeJSON, Message: "one message must be one JSON object"}
	}
	if !validID(r.ID) {
		r.ID = nil
		return r, invalid("id must be a number or a text of at most %d bytes", maxID)
	}
	if n := r.members(); n != 1 {
		return r, invalid("a request must have %s; this one has %d of them", shape, n)
	}
	return r, nil
}

func (r *request) members() (n int) {
	for _, there := range []bool{
		r.Connect != nil, r.Join != nil, r.Leave != nil, r.Publish != nil, r.Event != nil,
		r.Presence != nil, r.History != nil, r.Refresh != nil, r.Ack != nil, r.Ping != nil,
	} {
		if there {
			n++
		}
	}
	return n
}

func validID(id json.RawMessage) bool {
	return id == nil || len(id) <= maxID && (id[0] == '"' || id[0] == '-' || '0' <= id[0] && id[0] <= '9')
}

// looseID reads nothing but the id.
func looseID(raw []byte) *request {
	var only struct {
		ID json.RawMessage `json:"id"`
	}
	if json.Unmarshal(raw, &only) != nil || !validID(only.ID) {
		return new(request)
	}
	return &request{ID: only.ID}
}

func decodeError(err error) *Error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if wrong.Field == "" {
			return invalid("a message must be a JSON object, not %s", wrong.Value)
		}
		return invalid("%s cannot be %s", wrong.Field, wrong.Value)
	}
	text := strings.TrimPrefix(err.Error(), "json: ")
	if strings.HasPrefix(text, "unknown field") {
		return invalid("%s: a request has %s", text, shape)
	}
	return &Error{Code: codeJSON, Message: "not JSON: " + text}
}

// checkRoom refuses what cannot be joined or published to by its name.
func checkRoom(room belfry.Room) error {
	switch {
	case room == "":
		return invalid("room is missing")
	case len(room) > maxRoom:
		return invalid("room has %d bytes: at most %d are allowed", len(room), maxRoom)
	case hub.Reserved(room):
		return &Error{Code: codeForbidden, Message: "names of rooms must not begin with a zero byte", Room: room}
	case isID(room):
		return &Error{Code: codeForbidden, Message: "a name of this form (20 characters of A-Z a-z 0-9 - _) is the id of a client", Room: room}
	}
	return nil
}

// isID reports whether a name could be the id of a client: its room would show what
// is meant for that client alone.
func isID(room belfry.Room) bool {
	return len(room) == idLength && strings.Trim(string(room), idCharacters) == ""
}

const (
	idLength     = 20 // of a belfry.SocketID
	idCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
)

// checkRooms checks the rooms of a connect or a join, and drops doubles.
func checkRooms(rooms []belfry.Room) ([]belfry.Room, error) {
	var all []belfry.Room
	for _, room := range rooms {
		if err := checkRoom(room); err != nil {
			return nil, err
		}
		if !slices.Contains(all, room) {
			all = append(all, room)
		}
	}
	return all, nil
}

// rooms returns what is to be joined.
func (j *joinRequest) all() ([]belfry.Room, error) {
	switch {
	case j.Room != "" && j.Rooms != nil:
		return nil, invalid("join has room and rooms: give one of them")
	case j.Rooms != nil && len(j.Rooms) == 0:
		return nil, invalid("join.rooms is empty")
	case len(j.Meta) > maxMeta:
		return nil, invalid("join.meta has %d bytes: at most %d are allowed", len(j.Meta), maxMeta)
	case j.Rooms != nil:
		return checkRooms(j.Rooms)
	}
	return checkRooms([]belfry.Room{j.Room})
}

// eventData makes of a name and arguments what the bus has: an array with the name
// first, binary values as attachments. args nil: none.
func eventData(name string, args json.RawMessage) (data []byte, attachments [][]byte, err error) {
	if name == "" {
		return nil, nil, invalid("the name of the event is missing")
	}
	if args, err = elementsOf(args); err != nil {
		return nil, nil, err
	}
	text := packet.AppendString([]byte{'0' + byte(packet.Event), '['}, name)
	if len(args) > 0 {
		text = append(append(text, ','), args...)
	}
	// Whoever gets it checks it in the same way: the depth, the name, the texts.
	p, err := packet.Decode(append(text, ']'), packet.Options{})
	if err == nil {
		data, attachments, err = packet.Extract(p.Data)
	}
	if err != nil {
		return nil, nil, contentError(err)
	}
	return data, attachments, nil
}

// elementsOf returns what is between the brackets of an array.
func elementsOf(args json.RawMessage) (json.RawMessage, error) {
	args = bytes.TrimSpace(args)
	if len(args) == 0 || string(args) == "null" {
		return nil, nil
	}
	if args[0] != '[' {
		return nil, invalid("args must be an array")
	}
	return bytes.TrimSpace(args[1 : len(args)-1]), nil
}

func contentError(err error) error {
	if p, ok := errors.AsType[*packet.Error](err); ok {
		return invalid("event or args: %v", p.Err)
	}
	return invalid("event or args: %v", err)
}

// argsOf returns the arguments of an event's data, which is an array with its name
// first: the same array without it.
func argsOf(data []byte) []byte {
	var name json.RawMessage
	for e := range packet.Elements(data) {
		name = e
		break
	}
	rest := bytes.TrimLeft(data, " \t\r\n")
	rest = bytes.TrimLeft(rest[1:], " \t\r\n")
	rest = bytes.TrimLeft(rest[len(name):], " \t\r\n")
	if len(rest) > 0 && rest[0] == ',' {
		rest = rest[1:]
	}
	return append([]byte{'['}, rest...)
}
