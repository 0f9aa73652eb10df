package archive

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/seed-09a96375/belfry"
)

// document is a record as JSON. Queues and sinks write these names.
type document struct {
	ID        string          `json:"id"`
	Namespace string          `json:"namespace"`
	Room      string          `json:"room"`
	Rooms     []string        `json:"rooms"`
	Event     string          `json:"event"`
	Args      json.RawMessage `json:"args"`
	Text      string          `json:"text"`
	User      string          `json:"user"`
	Socket    string          `json:"socket"`
	Key       string          `json:"key"`
	Time      json.RawMessage `json:"time"` // RFC 3339, or milliseconds since 1970
	Offset    string          `json:"offset"`

	checked bool // Args are JSON, and UTF-8
}

// Decode reads the entry of a record: a JSON object as its value, or, if it has no value
// or a field "args", fields of the same names. What they do not say the record does: an
// entry without id is named by the record, one without time has that of the record, one
// without room is in that of the key, one without namespace in "/". Names that are not
// known are passed over. A message for several "rooms" makes an entry in each: the first
// has its id, the others that with # and the room. The entries are valid; all that is
// wrong is in the error.
func Decode(r *belfry.Record) ([]Entry, error) {
	d, err := read(r)
	if err != nil {
		return nil, err
	}
	e := Entry{
		ID: or(d.ID, r.ID), Namespace: or(d.Namespace, "/"), Event: d.Event, Args: d.Args, Text: d.Text,
		User: d.User, Socket: belfry.SocketID(d.Socket), Key: or(d.Key, r.Key), Offset: belfry.Offset(d.Offset),
	}
	if len(e.Args) == 0 || string(e.Args) == "null" {
		e.Args = json.RawMessage("[]")
	}
	if e.Time, err = readTime(d.Time, r.Time); err != nil {
		return nil, err
	}
	if len(d.Rooms) == 0 {
		d.Rooms = []string{or(d.Room, e.Key)}
	}
	return inRooms(e, d.Rooms, d.checked)
}

// inRooms returns the entry of each room. checked says that the arguments are JSON.
func inRooms(e Entry, rooms []string, checked bool) ([]Entry, error) {
	id, all := e.ID, make([]Entry, 0, len(rooms))
	for i, room := range rooms {
		if e.Room = belfry.Room(room); i > 0 {
			e.ID = id + "#" + room
		}
		if err := e.validate(!checked); err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, nil
}

func or(text, otherwise string) string {
	if text != "" {
		return text
	}
	return otherwise
}

func read(r *belfry.Record) (*document, error) {
	var d document
	if value := bytes.TrimLeft(r.Value, " \t\r\n"); len(value) > 0 && r.Meta["args"] == "" {
		if value[0] != '{' {
			return nil, errors.New("the value must be a JSON object")
		}
		if err := json.Unmarshal(value, &d); err != nil {
			return nil, fmt.Errorf("read the value: %w", err)
		}
		d.checked = utf8.Valid(d.Args)
		return &d, nil
	}
	f := r.Meta
	d = document{
		ID: f["id"], Namespace: f["namespace"], Room: f["room"], Event: f["event"], Text: f["text"],
		User: f["user"], Socket: f["socket"], Key: f["key"], Offset: f["offset"],
	}
	if args := f["args"]; args != "" {
		d.Args = json.RawMessage(args)
	}
	if rooms := f["rooms"]; rooms != "" {
		if err := json.Unmarshal([]byte(rooms), &d.Rooms); err != nil {
			return nil, fmt.Errorf("read the rooms: %w", err)
		}
	}
	if at := f["time"]; at != "" {
		d.Time = json.RawMessage(at)
	}
	return &d, nil
}

// readTime reads a time with or without quotes. Stores keep microseconds: to cut what
// is finer here makes equal what is equal there.
func readTime(raw json.RawMessage, otherwise time.Time) (time.Time, error) {
	text := string(bytes.Trim(raw, `"`))
	if text == "" || text == "null" {
		return otherwise.UTC().Truncate(time.Microsecond), nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.UTC().Truncate(time.Microsecond), nil
	}
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.UnixMilli(ms).UTC(), nil
	}
	return time.Time{}, fmt.Errorf("time is %.40q: must be RFC 3339, or milliseconds since 1970", text)
}
