package meet

import (
	"context"
	"encoding/json"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/socketio"
)

// A signal is what one browser tells another to get connected.
type signal struct {
	event string
	field string // of the payload, with what is passed on
	check func(raw json.RawMessage) bool
	// bySharer is for what only the one who shares may send.
	bySharer bool
}

var signals = []signal{
	{event: "offer", field: "offer", check: description("offer"), bySharer: true},
	{event: "answer", field: "answer", check: description("answer")},
	{event: "ice-candidate", field: "candidate", check: candidate},
}

// maxSignal bounds a signal: a description has a few KiB.
const maxSignal = 64 << 10

// description checks an RTCSessionDescription.
func description(kind string) func(json.RawMessage) bool {
	return func(raw json.RawMessage) bool {
		var d struct{ Type, SDP string }
		return json.Unmarshal(raw, &d) == nil && d.Type == kind && d.SDP != ""
	}
}

// candidate checks an RTCIceCandidate. The empty one says that no more come.
func candidate(raw json.RawMessage) bool {
	var c struct{ Candidate *string }
	return json.Unmarshal(raw, &c) == nil && c.Candidate != nil
}

// relay passes a signal on to a user in the sender's room. Its from is whom the
// server knows the sender as, whatever the sender wrote there.
func (m *Meet) relay(ctx context.Context, s *socketio.Socket, k signal, in map[string]json.RawMessage) error {
	var to string
	if json.Unmarshal(in["to"], &to) != nil || to == "" {
		return refusef("%s: to is missing", k.event)
	}
	raw := in[k.field]
	if len(raw) > maxSignal || !k.check(raw) {
		return refusef("%s: %s is missing, malformed or too large", k.event, k.field)
	}
	target, err := m.find(ctx, s, to, k.bySharer)
	if err != nil {
		return err
	}
	return m.server.To(belfry.Room(target)).Emit(ctx, k.event, map[string]any{k.field: raw, "from": s.User()})
}

// find returns the socket of a user in the room of s, on whichever node it is.
func (m *Meet) find(ctx context.Context, s *socketio.Socket, to string, bySharer bool) (belfry.SocketID, error) {
	room, ok := roomOf(s)
	if !ok {
		return "", errNoRoom
	}
	if bySharer {
		e, err := sharerOf(ctx, m.server, room)
		if err != nil {
			return "", err
		}
		if e.Owner != s.ID() {
			return "", errNotSharing
		}
	}
	there, err := m.server.Presence(room).Members(ctx)
	if err != nil {
		return "", err
	}
	for _, p := range there {
		if p.User == to {
			return p.ID, nil
		}
	}
	return "", refusef("%q is not in the room", to)
}
