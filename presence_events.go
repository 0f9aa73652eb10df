package belfry

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// PresenceEvent is the Data of an event about a member, EventPresenceJoin or
// EventPresenceUpdate. It ends with the version: "<version>}]".
func PresenceEvent(name string, p *Present) ([]byte, error) { return eventData(name, p) }

// LeaveEvent is the Data of EventPresenceLeave, and ends in the same way.
func LeaveEvent(p *Present) ([]byte, error) {
	return eventData(EventPresenceLeave, struct {
		ID      SocketID `json:"id"`
		User    string   `json:"user"`
		Version uint64   `json:"version"`
	}{p.ID, p.User, p.Version})
}

// StateEvent is the Data of EventState, and ends in the same way. An entry whose
// Value is nil has ended.
func StateEvent(e *Entry) ([]byte, error) {
	if e.Value != nil {
		return eventData(EventState, e)
	}
	return eventData(EventState, struct {
		Key     string `json:"key"`
		Deleted bool   `json:"deleted"`
		Version uint64 `json:"version"`
	}{e.Key, true, e.Version})
}

func eventData(name string, v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // as events of the application are
	if err := enc.Encode([]any{name, v}); err != nil {
		return nil, fmt.Errorf("encode event %s: %w", name, err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
