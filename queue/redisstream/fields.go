package redisstream

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/queue/consume"
)

// The fields of an entry. Those that are empty are absent.
const (
	fieldID        = "id"
	fieldEvent     = "event"
	fieldNamespace = "namespace"
	fieldArgs      = "args" // JSON array
	fieldSocket    = "socket"
	fieldUser      = "user"
	fieldKey       = "key"
	fieldNode      = "node"
	fieldRoom      = "room"   // to which it was published, too
	fieldRooms     = "rooms"  // all of them, if there are several: a JSON array
	fieldOffset    = "offset" // of that message
	fieldTime      = "time"   // RFC 3339
	fieldReply     = "reply"  // key for the answer
	fieldAfter     = "after"  // entry before this one with the same key
	fieldFor       = "for"    // the only group that it is for
)

var fieldNames = [...]string{
	fieldID, fieldEvent, fieldNamespace, fieldArgs, fieldSocket, fieldUser, fieldKey, fieldNode, fieldRoom, fieldRooms, fieldOffset,
	fieldTime, fieldReply,
}

// encode appends fields and values.
func (q *Queue) encode(to []string, e *belfry.Event) []string {
	at := e.Time
	if at.IsZero() {
		at = time.Now()
	}
	reply := ""
	if e.Reply {
		reply = q.names.answer(e.ID)
	}
	values := [...]string{
		e.ID, e.Name, e.Namespace, string(e.Args), string(e.Socket), e.User, e.Key, string(e.Node),
		string(e.Room), encodeRooms(e.Rooms), string(e.Offset), at.UTC().Format(time.RFC3339Nano), reply,
	}
	for i, v := range values {
		if v != "" {
			to = append(to, fieldNames[i], v)
		}
	}
	return to
}

// decode reads an entry. One that cannot be read has a Fault. Others than Belfry may
// have written it: without an ID it has the name of the entry, without a time the
// one that is in that name.
func decode(entry string, fields map[string]string) *consume.Entry {
	e := &consume.Entry{After: fields[fieldAfter]}
	e.Entry, e.Fields, e.Tries = entry, fields, 1
	e.Event = belfry.Event{
		ID: fields[fieldID], Name: fields[fieldEvent], Namespace: fields[fieldNamespace],
		Socket: belfry.SocketID(fields[fieldSocket]), User: fields[fieldUser], Key: fields[fieldKey],
		Node: belfry.NodeID(fields[fieldNode]), Room: belfry.Room(fields[fieldRoom]), Offset: belfry.Offset(fields[fieldOffset]),
		Reply: fields[fieldReply] != "",
	}
	if rooms := fields[fieldRooms]; rooms != "" {
		_ = json.Unmarshal([]byte(rooms), &e.Rooms) // there is Room as well
	}
	if e.ID == "" {
		e.ID = entry
	}
	if args, ok := fields[fieldArgs]; ok {
		e.Args, e.Fault = decodeArgs(args)
	}
	if at, err := time.Parse(time.RFC3339Nano, fields[fieldTime]); err == nil {
		e.Time = at
	} else {
		e.Time = entryTime(entry)
	}
	return e
}

func encodeRooms(rooms []belfry.Room) string {
	if len(rooms) == 0 {
		return ""
	}
	b, _ := json.Marshal(rooms) // texts only
	return string(b)
}

func decodeArgs(text string) (json.RawMessage, error) {
	if !strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "[") || !json.Valid([]byte(text)) {
		return nil, fmt.Errorf("field %s is not a JSON array: %.40q", fieldArgs, text)
	}
	return json.RawMessage(text), nil
}

// entryTime is when an entry was appended, by the clock of Redis; zero if that is not
// the name of one.
func entryTime(entry string) time.Time {
	ms, _, _ := strings.Cut(entry, "-")
	n, err := strconv.ParseInt(ms, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(n)
}
