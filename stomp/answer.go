package stomp

import (
	"encoding/json"
	"slices"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/poll"
	"github.com/seed-09a96375/belfry/socketio/packet"
)

// Answer answers m, to this connection alone, with a MESSAGE for each of its
// subscriptions to /user/queue/NAME: NAME is that of m, or that of m's header
// reply-to, a whole destination. The header correlation-id is as in m. args is a
// JSON array of the arguments. Without such a subscription nothing is sent: RECEIPT
// tells the client that m was handled.
func (c *Conn) Answer(m *Message, args json.RawMessage) error {
	name, err := m.replyTo()
	if err != nil {
		return err
	}
	out := c.server.answer(name, args, m.Header("correlation-id"))
	for _, sub := range c.subs() {
		if sub.to.kind == queue && sub.to.name == name {
			c.send(out, sub, nil, nil)
		}
	}
	return nil
}

// Awaits reports whether an Answer to m would be sent, or why it cannot.
func (c *Conn) Awaits(m *Message) (bool, error) {
	name, err := m.replyTo()
	return slices.ContainsFunc(c.subs(), func(sub *subscription) bool {
		return sub.to.kind == queue && sub.to.name == name
	}), err
}

// replyTo is the event that answers m.
func (m *Message) replyTo() (string, error) {
	name := m.Name
	if to := m.Header("reply-to"); to != "" {
		d, err := parseDestination(to)
		if err != nil || d.kind != queue || d.user != "" {
			return "", invalid("reply-to must be /user/queue/NAME, not %q", to)
		}
		name = d.name
	}
	if packet.Reserved(name) {
		return "", invalid("event %q is reserved", name)
	}
	return name, nil
}

// answer encodes an event that one connection alone gets.
func (s *Server) answer(name string, args json.RawMessage, correlation string) *outgoing {
	data := packet.AppendString([]byte{'['}, name)
	for _, arg := range packet.Split(nil, args) {
		data = append(append(data, ','), arg...)
	}
	message := &belfry.Message{Data: append(data, ']')}
	o := &outgoing{content: newContent(message), message: message, policy: poll.CloseSlow}
	o.id, o.correlation = s.nextID(), correlation
	return o
}
