package engineio

import (
	"sync/atomic"

	"github.com/seed-09a96375/belfry/engineio/packet"
	"github.com/seed-09a96375/belfry/websocket"
)

// Headroom is the room that Buffer leaves in front of the text, for the packet
// type and the largest WebSocket header.
const Headroom = websocket.MaxHeader + 1

// messageDigit is the packet type in text form.
const messageDigit = '4'

// Message is one message of the layer above in all its wire forms. It is made
// once and shared by all sessions it is sent to. Immutable, safe for concurrent
// use.
type Message struct {
	buf         []byte // Headroom, then the text or the binary data
	attachments [][]byte
	size        int
	binary      bool

	frame []byte // buf's own part as a WebSocket frame of protocol 4

	// Forms that are made when they are first needed. They hold all frames of
	// the message one behind the other.
	joined     [2]atomic.Pointer[[]byte] // for protocol 3, for 4
	compressed [2]atomic.Pointer[[]byte]
}

// Buffer returns a buffer of length Headroom with room for n bytes more. The
// caller appends the text, or the binary data, and hands the result to NewText
// or NewBinary: WebSocket frame and text are then one allocation.
func Buffer(n int) []byte { return make([]byte, Headroom, Headroom+n) }

// NewText makes a message of a text and the binary messages that follow it
// directly: no other message gets between them. buf comes from Buffer, the text
// is what was appended, valid UTF-8. NewText takes buf and attachments over.
func NewText(buf []byte, attachments [][]byte) *Message {
	buf[Headroom-1] = messageDigit
	m := &Message{buf: buf, attachments: attachments, size: len(buf) - Headroom}
	for _, a := range attachments {
		m.size += len(a)
	}
	m.frame = websocket.PutHeader(buf, Headroom-1, websocket.Text)
	return m
}

// NewBinary makes one binary message of what was appended to buf, which comes
// from Buffer. It takes buf over.
func NewBinary(buf []byte) *Message {
	m := &Message{buf: buf, binary: true, size: len(buf) - Headroom}
	m.frame = websocket.PutHeader(buf, Headroom, websocket.Binary)
	return m
}

// Len returns the number of bytes of the text or binary data and all
// attachments, without framing.
func (m *Message) Len() int { return m.size }

// frames returns the message for a WebSocket without compression.
func (m *Message) frames(protocol uint8) []byte {
	if len(m.attachments) == 0 && (protocol == 4 || !m.binary) {
		return m.frame
	}
	return once(&m.joined[protocol-3], func() []byte { return m.join(protocol) })
}

// deflated returns the message for a WebSocket with permessage-deflate.
func (m *Message) deflated(protocol uint8) []byte {
	return once(&m.compressed[protocol-3], func() []byte { return m.compress(protocol) })
}

// once returns what p points to, made by build if it is nil. Concurrent first
// callers may each build; they all return the same.
func once(p *atomic.Pointer[[]byte], build func() []byte) []byte {
	if b := p.Load(); b != nil {
		return *b
	}
	b := build()
	if !p.CompareAndSwap(nil, &b) {
		return *p.Load()
	}
	return b
}

// text returns the packet in text form: type and text.
func (m *Message) text() []byte { return m.buf[Headroom-1:] }

func (m *Message) join(protocol uint8) []byte {
	size := len(m.frame)
	for _, a := range m.attachments {
		size += websocket.MaxHeader + 1 + len(a)
	}
	out := make([]byte, 0, size+1)
	if m.binary {
		return appendBinary(out, protocol, m.buf[Headroom:])
	}
	out = append(out, m.frame...)
	for _, a := range m.attachments {
		out = appendBinary(out, protocol, a)
	}
	return out
}

// appendBinary appends a binary frame. Those of protocol 3 begin with the packet
// type.
func appendBinary(dst []byte, protocol uint8, data []byte) []byte {
	if protocol != 3 {
		return websocket.AppendFrame(dst, websocket.Binary, data)
	}
	dst = websocket.AppendHeader(dst, websocket.Binary, true, false, len(data)+1)
	return append(append(dst, byte(packet.Message)), data...)
}

// minCompress is the size below which a part of a message is not worth the
// deflate header. Whether the message as a whole is compressed is for the
// connection to say.
const minCompress = 128

func (m *Message) compress(protocol uint8) []byte {
	var out []byte
	if m.binary {
		return appendDeflated(out, websocket.Binary, binaryPayload(protocol, m.buf[Headroom:]))
	}
	out = appendDeflated(out, websocket.Text, m.text())
	for _, a := range m.attachments {
		out = appendDeflated(out, websocket.Binary, binaryPayload(protocol, a))
	}
	return out
}

func binaryPayload(protocol uint8, data []byte) []byte {
	if protocol != 3 {
		return data
	}
	return append([]byte{byte(packet.Message)}, data...)
}

func appendDeflated(dst []byte, op websocket.Opcode, payload []byte) []byte {
	if len(payload) >= minCompress {
		if frame, err := websocket.CompressFrame(op, payload, 0); err == nil {
			return append(dst, frame...)
		}
	}
	return websocket.AppendFrame(dst, op, payload)
}

// packets appends the message as packets of a polling payload, the first of type
// t.
func (m *Message) packets(dst []packet.Packet, t packet.Type) []packet.Packet {
	dst = append(dst, packet.Packet{Type: t, Binary: m.binary, Data: m.buf[Headroom:]})
	for _, a := range m.attachments {
		dst = append(dst, packet.Packet{Type: packet.Message, Binary: true, Data: a})
	}
	return dst
}
