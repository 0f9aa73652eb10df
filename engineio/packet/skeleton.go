package packet

import "iter"

// Separator stands between the packets of a v4 payload.
const Separator = 0x1e

// Decode reads one v4 packet in text form: a WebSocket text frame, or one packet
// of a payload. Data aliases text. Base64 is decoded in place: text is
// overwritten.
func Decode(text []byte) (Packet, error) { panic("unwritten") }

// Payload iterates over the packets of a v4 payload. It stops after the first
// error: the packets before it were good. Data aliases body, which is
// overwritten where it holds base64.
func Payload(body []byte) iter.Seq2[Packet, error] { panic("unwritten") }

// Append appends a v4 packet in text form, binary data as base64.
func Append(dst []byte, p Packet) []byte { panic("unwritten") }

// AppendPayload appends a v4 payload.
func AppendPayload(dst []byte, packets ...Packet) []byte { panic("unwritten") }

// DecodeV3 reads one v3 packet in text form, as Decode does.
func DecodeV3(text []byte) (Packet, error) { panic("unwritten") }

// DecodeV3Binary reads one v3 packet in binary form: a WebSocket binary frame.
// Data aliases frame.
func DecodeV3Binary(frame []byte) (Packet, error) { panic("unwritten") }

// PayloadV3 iterates over the packets of a v3 text payload, as Payload does.
func PayloadV3(body []byte) iter.Seq2[Packet, error] { panic("unwritten") }

// PayloadV3Binary iterates over the packets of a v3 binary payload
// (application/octet-stream), as Payload does.
func PayloadV3Binary(body []byte) iter.Seq2[Packet, error] { panic("unwritten") }

// AppendV3 appends a v3 packet in text form, binary data as base64.
func AppendV3(dst []byte, p Packet) []byte { panic("unwritten") }

// AppendV3Binary appends the binary form of a v3 packet with binary data: a
// WebSocket binary frame.
func AppendV3Binary(dst []byte, p Packet) []byte { panic("unwritten") }

// AppendPayloadV3 appends a v3 text payload.
func AppendPayloadV3(dst []byte, packets ...Packet) []byte { panic("unwritten") }

// AppendPayloadV3Binary appends a v3 binary payload.
func AppendPayloadV3Binary(dst []byte, packets ...Packet) []byte { panic("unwritten") }

// AppendJSONP appends the script that hands payload to the client's callback.
// index is the query parameter j; what is not a digit in it is left out.
func AppendJSONP(dst []byte, index string, payload []byte) []byte { panic("unwritten") }

// DecodeJSONP returns the payload in the form-encoded body of a JSON-P POST. It
// aliases body, which is overwritten.
func DecodeJSONP(body []byte) ([]byte, error) { panic("unwritten") }
