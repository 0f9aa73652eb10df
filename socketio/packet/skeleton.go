package packet

import (
	"encoding/json"
	"iter"
)

// Decode reads one text packet. Data of the result aliases text. Binary packets
// come back with Count set and without Attachments: see Decoder. Placeholders
// are not checked here.
func Decode(text []byte, o Options) (Packet, error) { panic("unwritten") }

// Decoder puts text and binary messages of one connection together to packets.
// The zero value is ready. It holds no memory while no binary packet is being
// assembled. Not safe for concurrent use.
type Decoder struct{ asm *struct{} }

// Text takes a text message. done is true if a packet is complete with it; its
// Data aliases p. It is false if attachments have to follow. After an error the
// connection is to be closed.
func (d *Decoder) Text(p []byte, o Options) (pkt Packet, done bool, err error) { panic("unwritten") }

// Binary takes a binary message, which it copies. done is true if the packet is
// complete; nothing else holds its memory.
func (d *Decoder) Binary(p []byte, o Options) (pkt Packet, done bool, err error) { panic("unwritten") }

// EventName returns the name of an event: the first element of data, unescaped;
// a number as JavaScript prints it. It aliases data where it can. nil for an
// event without payload. data is the Data of a decoded Event.
func EventName(data []byte) ([]byte, error) { panic("unwritten") }

// Elements iterates over the raw elements of a JSON array, which must be valid.
// They alias array.
func Elements(array []byte) iter.Seq[json.RawMessage] { panic("unwritten") }

// Split appends the raw elements of a JSON array, which must be valid, to dst.
// They alias array.
func Split(dst []json.RawMessage, array []byte) []json.RawMessage { panic("unwritten") }

// AppendHeader appends everything of a packet but its JSON. attachments is
// written for binary types only.
func AppendHeader(dst []byte, t Type, attachments int, namespace string, id uint64, hasID bool) []byte {
	panic("unwritten")
}

// Append appends the text of p. Event and Ack become their binary twins if
// p.Attachments is not empty, and the other way round. The attachments
// themselves are for the caller to send.
func Append(dst []byte, p *Packet) []byte { panic("unwritten") }

// AppendElement appends the JSON array data with one more element at its end.
func AppendElement(dst, data, element []byte) []byte { panic("unwritten") }

// AppendOffset is AppendElement for a string: ["ev",1] becomes ["ev",1,"off"].
func AppendOffset(dst, data []byte, offset string) []byte { panic("unwritten") }

// AppendString appends s as a JSON string. Invalid UTF-8 becomes U+FFFD.
func AppendString(dst []byte, s string) []byte { panic("unwritten") }

// AppendConnect appends the whole packet that answers a CONNECT. pid is left out
// if empty.
func AppendConnect(dst []byte, namespace, sid, pid string) []byte { panic("unwritten") }

// AppendConnectError appends the whole packet that refuses a CONNECT. data is
// JSON, left out if empty.
func AppendConnectError(dst []byte, namespace, message string, data []byte) []byte {
	panic("unwritten")
}

// Binary is an argument that travels as an attachment. Plain []byte does, too.
type Binary []byte

// Marshal encodes args as a JSON array, with placeholders for the binary values
// in them, in depth-first order.
func Marshal(args ...any) (data []byte, attachments [][]byte, err error) { panic("unwritten") }

// AppendEvent is Marshal for an event: the array begins with name. It appends to
// dst and attachments.
func AppendEvent(dst []byte, attachments [][]byte, name string, args ...any) ([]byte, [][]byte, error) {
	panic("unwritten")
}

// Unmarshal decodes one argument into v as encoding/json does, and fills binary
// values from the attachments that placeholders name.
func Unmarshal(raw json.RawMessage, attachments [][]byte, v any) error { panic("unwritten") }

// DecodeMsgpack reads one packet of socket.io-msgpack-parser. The payload is
// turned into JSON with placeholders; bin values become Attachments, which alias
// p. The type is binary if there are any.
func DecodeMsgpack(p []byte, o Options) (Packet, error) { panic("unwritten") }

// AppendMsgpack appends p as socket.io-msgpack-parser expects it, placeholders
// replaced by the attachments.
func AppendMsgpack(dst []byte, p *Packet) ([]byte, error) { panic("unwritten") }
