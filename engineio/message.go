package engineio

// Headroom is the room that Buffer leaves in front of the text for the packet
// type and the largest WebSocket header.
const Headroom = 11

// Message is one message of the layer above in all its wire forms. It is made
// once and shared by all sessions it is sent to. It is immutable and safe for
// concurrent use.
type Message struct {
	buf         []byte // Headroom, then the text or the binary data
	attachments [][]byte
	binary      bool
}

// Buffer returns a buffer of length Headroom with room for n bytes more. The
// caller appends the text, or the binary data, and hands the result to NewText
// or NewBinary: WebSocket frame and text are then one allocation.
func Buffer(n int) []byte { return make([]byte, Headroom, Headroom+n) }

// NewText makes a message of a text and the binary messages that follow it
// directly: no other message gets between them. buf comes from Buffer, the text
// is what was appended; NewText takes buf and attachments over.
func NewText(buf []byte, attachments [][]byte) *Message {
	return &Message{buf: buf, attachments: attachments}
}

// NewBinary makes one binary message of what was appended to buf, which comes
// from Buffer. It takes buf over.
func NewBinary(buf []byte) *Message { return &Message{buf: buf, binary: true} }

// Len returns the number of bytes of the text or binary data and all
// attachments, without framing.
func (m *Message) Len() int {
	n := len(m.buf) - Headroom
	for _, a := range m.attachments {
		n += len(a)
	}
	return n
}
