package kafka

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/socketio/packet"
)

// value is that of a record, JSON. What is empty is absent.
type value struct {
	ID        string          `json:"id"`
	Namespace string          `json:"namespace,omitempty"`
	Room      belfry.Room     `json:"room,omitempty"`   // of a message to one, or that an event was published to
	Offset    belfry.Offset   `json:"offset,omitempty"` // of that, in the log of the bus
	Rooms     []belfry.Room   `json:"rooms,omitempty"`  // of a message
	Event     string          `json:"event"`
	Args      any             `json:"args,omitempty"` // a JSON array
	Socket    belfry.SocketID `json:"socket,omitempty"`
	User      string          `json:"user,omitempty"`
	Key       string          `json:"key,omitempty"`
	Node      belfry.NodeID   `json:"node,omitempty"`
	Time      string          `json:"time"` // RFC 3339
}

func eventRecord(e *belfry.Event) (*kgo.Record, error) {
	at := e.Time
	if at.IsZero() {
		at = time.Now()
	}
	v := &value{
		ID: e.ID, Namespace: e.Namespace, Event: e.Name,
		Socket: e.Socket, User: e.User, Key: e.Key, Node: e.Node, Room: e.Room, Offset: e.Offset,
	}
	if len(e.Args) > 0 {
		v.Args = e.Args
	}
	return record(v, at)
}

var errNoEmit = errors.New("queue: only messages with an event go to kafka")

func messageRecord(m *belfry.Message, id, key string) (*kgo.Record, error) {
	if m.Kind != belfry.Emit {
		return nil, errNoEmit
	}
	if len(id) > belfry.MaxID {
		return nil, fmt.Errorf("queue: ID of a message has %d bytes, may have %d", len(id), belfry.MaxID)
	}
	v := &value{ID: id, Namespace: m.Namespace, Rooms: m.Target.Rooms, Key: key, Node: m.Origin, Offset: m.Offset}
	var all []json.RawMessage
	if err := json.Unmarshal(packet.Inline(m.Data, m.Attachments), &all); err != nil || len(all) == 0 {
		return nil, errNoEmit
	}
	if err := json.Unmarshal(all[0], &v.Event); err != nil {
		return nil, errNoEmit
	}
	v.Args = all[1:]
	if len(v.Rooms) == 1 {
		v.Room = v.Rooms[0]
	}
	if v.Key == "" {
		v.Key = string(v.Room)
	}
	return record(v, time.Now())
}

func record(v *value, at time.Time) (*kgo.Record, error) {
	v.Time = at.UTC().Format(time.RFC3339Nano)
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, fmt.Errorf("queue: event %q: %w", v.ID, err)
	}
	// The driver counts its timeout from the record's own time: that is not ours to set.
	rec := &kgo.Record{Value: bytes.TrimSuffix(b.Bytes(), []byte("\n"))}
	if v.Key != "" {
		rec.Key = []byte(v.Key)
	}
	for _, h := range []kgo.RecordHeader{
		{Key: "id", Value: []byte(v.ID)},
		{Key: "event", Value: []byte(v.Event)},
		{Key: "namespace", Value: []byte(v.Namespace)},
		{Key: "user", Value: []byte(v.User)},
	} {
		if len(h.Value) > 0 {
			rec.Headers = append(rec.Headers, h)
		}
	}
	return rec, nil
}
