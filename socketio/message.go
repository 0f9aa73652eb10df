package socketio

import (
	"encoding/json"
	"fmt"
	"hash/maphash"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/engineio"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/socketio/packet"
)

// newMessage encodes an event for the bus. Args as the only argument pass
// through as they came, attachments included.
func newMessage(kind belfry.Kind, event string, args []any) (*belfry.Message, error) {
	m := &belfry.Message{Kind: kind}
	if len(args) == 1 {
		if a, ok := args[0].(Args); ok {
			m.Data, m.Attachments = a.event(event), a.attachments
			return m, nil
		}
	}
	var err error
	m.Data, m.Attachments, err = packet.AppendEvent(nil, nil, event, args...)
	if err == nil {
		err = countAttachments(m.Attachments)
	}
	if err != nil {
		return nil, fmt.Errorf("encode event %q: %w", event, err)
	}
	return m, nil
}

// countAttachments refuses what the official clients would break the connection
// for.
func countAttachments(attachments [][]byte) error {
	if n := len(attachments); n > packet.DefaultMaxAttachments {
		return fmt.Errorf("%d binary values: clients take %d at most", n, packet.DefaultMaxAttachments)
	}
	return nil
}

// event is the array of the event with these arguments.
func (a Args) event(name string) []byte {
	b := packet.AppendString([]byte{'['}, name)
	for _, raw := range a.raw {
		b = append(append(b, ','), raw...)
	}
	return append(b, ']')
}

// array is the array of these arguments.
func (a Args) array() []byte {
	b := []byte{'['}
	for i, raw := range a.raw {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, raw...)
	}
	return append(b, ']')
}

// marshalArgs encodes the values of an ack.
func marshalArgs(values []any) (data []byte, attachments [][]byte, err error) {
	if len(values) == 1 {
		if a, ok := values[0].(Args); ok {
			return a.array(), a.attachments, nil
		}
	}
	data, attachments, err = packet.Marshal(values...)
	if err == nil {
		err = countAttachments(attachments)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("encode ack: %w", err)
	}
	return data, attachments, nil
}

func splitEvent(data []byte, attachments [][]byte) (string, Args, error) {
	name, err := packet.EventName(data)
	if err != nil {
		return "", Args{}, err
	}
	return string(name), eventArgs(data, attachments), nil
}

// format is the parser that a client uses.
type format uint8

const (
	unknown format = iota // it has not sent anything yet
	text
	msgpack
)

// form is the slot of a Delivery in which the format's encoding is shared.
func (f format) form() hub.Form {
	if f == msgpack {
		return hub.SocketIOMsgpack
	}
	return hub.SocketIO
}

// outgoing is an event, encoded once for all its receivers.
type outgoing struct {
	message *engineio.Message
	options engineio.SendOptions
	ackID   uint64 // what the receivers' acks carry, if any are wanted
}

// encode returns the encoding of d's event in format f, shared by all sockets of
// the namespace that receive it.
func (n *Namespace) encode(d *hub.Delivery, f format) *outgoing {
	return d.Encoded(f.form(), func(m *belfry.Message) any {
		out := &outgoing{options: n.sendOptions(m)}
		p := packet.Packet{Type: packet.Event, Namespace: n.name, Data: m.Data, Attachments: m.Attachments}
		if m.Request != 0 {
			out.ackID = n.lastAck.Add(1) - 1
			p.ID, p.HasID = out.ackID, true
		}
		out.message = encodePacket(&p, n.offset(m), f)
		return out
	}).(*outgoing)
}

// offset is what clients are told of m's place in the log: nothing if they cannot
// recover by it. The bus may keep a log for others.
func (n *Namespace) offset(m *belfry.Message) string {
	if n.server.opts.Recovery == nil {
		return ""
	}
	return string(m.Offset)
}

// encodePacket encodes p for the wire. An offset that is not empty becomes the
// last argument: the client gives it back when it recovers.
func encodePacket(p *packet.Packet, offset string, f format) *engineio.Message {
	if f == msgpack {
		return encodeMsgpack(p, offset)
	}
	if len(p.Attachments) > 0 && !p.Type.Binary() {
		p.Type += packet.BinaryEvent - packet.Event
	}
	buf := engineio.Buffer(len(p.Data) + len(p.Namespace) + len(offset) + 16)
	buf = packet.AppendHeader(buf, p.Type, len(p.Attachments), p.Namespace, p.ID, p.HasID)
	if offset != "" {
		buf = packet.AppendOffset(buf, p.Data, offset)
	} else {
		buf = append(buf, p.Data...)
	}
	return engineio.NewText(buf, p.Attachments)
}

func encodeMsgpack(p *packet.Packet, offset string) *engineio.Message {
	if offset != "" {
		p.Data = packet.AppendOffset(nil, p.Data, offset)
	}
	buf, err := packet.AppendMsgpack(engineio.Buffer(len(p.Data)+64), p)
	if err != nil {
		// Data is valid JSON: it comes from Marshal or from a decoded packet.
		panic(fmt.Sprintf("socketio: encode msgpack: %v", err))
	}
	return engineio.NewBinary(buf)
}

var keySeed = maphash.MakeSeed()

func (n *Namespace) sendOptions(m *belfry.Message) engineio.SendOptions {
	o := engineio.SendOptions{Volatile: m.Volatile, NoCompress: m.NoCompress}
	if n.server.opts.Slow == nil {
		return o
	}
	if o.Overflow = n.server.opts.Slow(m); o.Overflow == KeepLatest {
		o.Key = latestKey(m)
	}
	return o
}

// latestKey is equal for the messages of which only the latest counts: those of
// the same event to the same rooms.
func latestKey(m *belfry.Message) uint64 {
	var h maphash.Hash
	h.SetSeed(keySeed)
	_, _ = h.WriteString(m.Namespace)
	for _, r := range m.Target.Rooms {
		_ = h.WriteByte(0)
		_, _ = h.WriteString(string(r))
	}
	_ = h.WriteByte(0)
	if name, err := packet.EventName(m.Data); err == nil {
		_, _ = h.Write(name)
	}
	return h.Sum64()
}

func unmarshalReply(r *belfry.Reply, v any) error {
	if err := json.Unmarshal(r.Body, v); err != nil {
		return fmt.Errorf("decode the reply of node %s: %w", r.From, err)
	}
	return nil
}
