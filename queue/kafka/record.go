package kafka

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/seed-09a96375/belfry"
)

// value is that of a record, JSON. What is empty is absent.
type value struct {
	ID        string          `json:"id"`
	Namespace string          `json:"namespace,omitempty"`
	Room      belfry.Room     `json:"room,omitempty"`   // that it was published to
	Offset    belfry.Offset   `json:"offset,omitempty"` // of that, in the log of the bus
	Rooms     []belfry.Room   `json:"rooms,omitempty"`  // all of them, if there are several
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
		Socket: e.Socket, User: e.User, Key: e.Key, Node: e.Node, Room: e.Room, Rooms: e.Rooms, Offset: e.Offset,
	}
	if len(e.Args) > 0 {
		v.Args = e.Args
	}
	return record(v, at)
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
