package bustest

import (
	"encoding/json"

	"github.com/seed-09a96375/belfry"
)

const namespace = "/suite"

// event is a message that carries an id in its data.
func event(id string, t belfry.Target) *belfry.Message {
	data, err := json.Marshal([]string{"event", id})
	if err != nil {
		panic(err) // strings can be marshalled
	}
	return &belfry.Message{Namespace: namespace, Target: t, Data: data}
}

// idOf returns the id that event gave, or the first of Rooms for kinds that
// carry no data.
func idOf(m *belfry.Message) string {
	var words []string
	if err := json.Unmarshal(m.Data, &words); err == nil && len(words) > 1 {
		return words[1]
	}
	if len(m.Rooms) > 0 {
		return string(m.Rooms[0])
	}
	return ""
}

func idsOf(messages []*belfry.Message) []string {
	ids := make([]string, len(messages))
	for i, m := range messages {
		ids[i] = idOf(m)
	}
	return ids
}

func to(rooms ...belfry.Room) belfry.Target { return belfry.Target{Rooms: rooms} }

// orders returns what puts the message in order: its rooms, or the namespace.
func orders(m *belfry.Message) []string {
	if len(m.Target.Rooms) == 0 {
		return []string{m.Namespace}
	}
	keys := make([]string, len(m.Target.Rooms))
	for i, room := range m.Target.Rooms {
		keys[i] = m.Namespace + " " + string(room)
	}
	return keys
}
