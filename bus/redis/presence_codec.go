package redis

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/seed-09a96375/belfry"
)

// placeKey names a place in keys: unlike the name of a channel it must not be that
// of another.
func placeKey(p belfry.Place) string {
	return strings.NewReplacer("%", "%25", "#", "%23").Replace(p.Namespace) + "#" + string(p.Room)
}

func (n names) members(place string) string  { return n.base + "members:" + place }
func (n names) state(place string) string    { return n.base + "state:" + place }
func (n names) present(holder string) string { return n.base + "present:" + holder }

// reference names a member in sets, as rooms.lua does.
func reference(place string, id belfry.SocketID) string {
	return strconv.Itoa(len(place)) + " " + place + string(id)
}

// A record of a member is seven lines: hold, version, time of joining, node, who,
// metadata, holder. All but the first two and the last are JSON; who is without
// its braces. The scripts put the lines together to events.

// decodePresent reads a record.
func decodePresent(record string) (p belfry.Present, err error) {
	line := strings.SplitN(record, "\n", 7)
	if len(line) < 7 {
		return p, errBody
	}
	text := `{` + line[4] + `,"meta":` + line[5] + `,"joinedAt":` + line[2] + `,"node":` + line[3] + `,"version":` + line[1] + `}`
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return belfry.Present{}, fmt.Errorf("%w: %w", errBody, err)
	}
	if string(p.Meta) == "null" {
		p.Meta = nil
	}
	return p, nil
}

// facts are what a script is told of a member, as JSON.
type facts struct{ joined, node, who, meta string }

func factsOf(a *attendee, node belfry.NodeID) (f facts, err error) {
	who, err := encodeJSON(struct {
		ID   belfry.SocketID `json:"id"`
		User string          `json:"user"`
	}{a.stay.Socket, a.entrance.User})
	if err != nil {
		return f, err
	}
	f.who = who[1 : len(who)-1]
	f.meta = "null"
	if a.entrance.Meta != nil {
		if f.meta, err = encodeJSON(a.entrance.Meta); err != nil {
			return f, err
		}
	}
	if f.joined, err = encodeJSON(a.joined); err != nil {
		return f, err
	}
	f.node, err = encodeJSON(node)
	return f, err
}

// encodeJSON writes one line.
func encodeJSON(v any) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "", fmt.Errorf("redis: encode: %w", err)
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// A record of an entry is five lines: version, nonce, key, value, owner. Key and
// value are JSON.

// decodeEntry reads a record.
func decodeEntry(record string) (e belfry.Entry, err error) {
	line := strings.SplitN(record, "\n", 5)
	if len(line) < 5 || !json.Valid([]byte(line[3])) || json.Unmarshal([]byte(line[2]), &e.Key) != nil {
		return belfry.Entry{}, errBody
	}
	e.Value, e.Owner = json.RawMessage(line[3]), belfry.SocketID(line[4])
	if e.Version, err = strconv.ParseUint(line[0], 10, 64); err != nil {
		return belfry.Entry{}, errBody
	}
	return e, nil
}

// entryFacts are what a script is told of an entry: the event up to the version,
// key and value as JSON; no value for an entry that is deleted.
type entryFacts struct{ event, key, value string }

func entryFactsOf(e belfry.Entry) (f entryFacts, err error) {
	event, err := belfry.StateEvent(&belfry.Entry{Key: e.Key, Value: e.Value, Owner: e.Owner})
	if err != nil {
		return f, err
	}
	f.event = strings.TrimSuffix(string(event), "0}]")
	if f.key, err = encodeJSON(e.Key); err != nil || e.Value == nil {
		return f, err
	}
	f.value, err = encodeJSON(e.Value)
	return f, err
}
