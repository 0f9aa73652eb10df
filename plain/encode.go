package plain

import (
	"bytes"
	"encoding/json"
	"hash/maphash"
	"strings"
	"sync"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/poll"
	"github.com/seed-09a96375/belfry/socketio/packet"
	"github.com/seed-09a96375/belfry/websocket"
)

// outgoing is a message for all its receivers of one kind. A message to one room, or
// to everybody, is one frame for all; one to several rooms names to each client those
// that it is in.
type outgoing struct {
	message *belfry.Message
	stream  bool
	policy  SlowPolicy
	key     uint64
	whole   []byte // nil: there are several rooms

	mu     sync.Mutex
	frames map[string][]byte // by the rooms that they name
}

// encode returns d for WebSockets, or for event streams.
func (s *Server) encode(d *hub.Delivery, stream bool) *outgoing {
	form := hub.Plain
	if stream {
		form = hub.EventStream
	}
	return d.Encoded(form, func(m *belfry.Message) any {
		o := &outgoing{message: m, stream: stream, policy: poll.CloseSlow}
		if s.o.Slow != nil {
			if o.policy = s.o.Slow(m); o.policy == poll.KeepLatest {
				o.key = latestKey(m)
			}
		}
		switch len(m.Target.Rooms) {
		case 0:
			o.whole = o.build(nil)
		case 1:
			o.whole = o.build(visible(m.Target.Rooms[0]))
		}
		return o
	}).(*outgoing)
}

// maxShapes bounds the frames that are kept of one message: beyond it every receiver
// has its own.
const maxShapes = 64

// frame returns what is written to c; c.mu is held.
func (o *outgoing) frame(c *Conn) []byte {
	if o.whole != nil {
		return o.whole
	}
	names := c.names(o.message)
	var key strings.Builder
	for _, room := range names {
		key.WriteString(string(room))
		key.WriteByte(0)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if b := o.frames[key.String()]; b != nil {
		return b
	}
	b := o.build(names)
	if o.frames == nil {
		o.frames = make(map[string][]byte)
	}
	if len(o.frames) < maxShapes {
		o.frames[key.String()] = b
	}
	return b
}

func (o *outgoing) build(rooms []belfry.Room) []byte {
	if o.stream {
		return messageEvent(o.message, rooms)
	}
	return messageFrame(o.message, rooms, 0)
}

// messageFrame is a message as a WebSocket frame. ack 0: none is wanted.
func messageFrame(m *belfry.Message, rooms []belfry.Room, ack uint64) []byte {
	b := appendMessage(newBuffer(len(m.Data)), m, rooms)
	if m.Offset != "" {
		b = appendMember(b, "offset", string(m.Offset))
	}
	if ack != 0 {
		b = appendNumber(b, "ack", ack)
	}
	return text(append(b, '}'))
}

// messageEvent is a message as an event of a stream.
func messageEvent(m *belfry.Message, rooms []belfry.Room) []byte {
	var b []byte
	if m.Offset != "" {
		b = append(append(append(b, "id: "...), m.Offset...), '\n')
	}
	name, _ := packet.EventName(m.Data)
	if len(name) > 0 && !bytes.ContainsAny(name, "\r\n") { // what cannot stand here stands in the data
		b = append(append(append(b, "event: "...), name...), '\n')
	}
	data := append(appendMessage(nil, m, rooms), '}')
	if bytes.ContainsAny(data, "\r\n") {
		var short bytes.Buffer
		if json.Compact(&short, data) == nil { // in texts they are escaped
			data = short.Bytes()
		}
	}
	return append(append(append(b, "data: "...), data...), "\n\n"...)
}

// appendMessage appends a message as a JSON object that is not closed.
func appendMessage(b []byte, m *belfry.Message, rooms []belfry.Room) []byte {
	b = append(b, '{')
	switch len(rooms) {
	case 0:
	case 1:
		b = appendMember(b, "room", string(rooms[0]))
	default:
		b = append(b, `"rooms":[`...)
		for i, room := range rooms {
			if i > 0 {
				b = append(b, ',')
			}
			b = packet.AppendString(b, string(room))
		}
		b = append(b, ']')
	}
	name, _ := packet.EventName(m.Data)
	b = appendMember(b, "event", string(name))
	return append(append(b, `,"args":`...), packet.Inline(argsOf(m.Data), m.Attachments)...)
}

// appendMember appends a member of an object, with a text as its value.
func appendMember(b []byte, name, value string) []byte {
	return packet.AppendString(appendName(b, name), value)
}

func appendName(b []byte, name string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	return append(append(append(b, '"'), name...), `":`...)
}

var keySeed = maphash.MakeSeed()

// latestKey is equal for the messages of which only the latest counts: those of the
// same event to the same rooms.
func latestKey(m *belfry.Message) uint64 {
	var h maphash.Hash
	h.SetSeed(keySeed)
	for _, room := range m.Target.Rooms {
		_, _ = h.WriteString(string(room))
		_ = h.WriteByte(0)
	}
	name, _ := packet.EventName(m.Data)
	_, _ = h.Write(name)
	return h.Sum64()
}

// newBuffer has room for about n bytes and for the header of the frame before them.
func newBuffer(n int) []byte { return make([]byte, websocket.MaxHeader, websocket.MaxHeader+n+128) }

// text makes a frame of what was appended to a buffer.
func text(b []byte) []byte { return websocket.PutHeader(b, websocket.MaxHeader, websocket.Text) }
