package redisstream

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
)

// pairs reads what encode has written.
func pairs(list []string) map[string]string {
	fields := make(map[string]string)
	for i := 0; i+1 < len(list); i += 2 {
		fields[list[i]] = list[i+1]
	}
	return fields
}

// FuzzEntry wants that no entry breaks a consumer, and that what can be read comes
// back the same after it was written.
func FuzzEntry(f *testing.F) {
	f.Add("1763837000123-0", "1", "e", "/", `["a"]`, "k", "2026-11-23T00:00:00.000000001Z", "r", "1-1")
	f.Add("", "", "", "", "", "", "", "", "")
	f.Add("x-y", "1", "e", "/", `{"a":1}`, "k", "now", "r", "zzz")
	f.Add("-1", strings.Repeat("x", 200), "e", "/", ` [1`, "k", "2026-11-23T00:00:00+01:00", "", "")
	q := &Queue{names: newNames(Options{Name: "fuzz", Prefix: "belfry:"})}
	f.Fuzz(func(t *testing.T, entry, id, name, namespace, args, key, at, reply, after string) {
		fields := map[string]string{}
		for n, v := range map[string]string{
			fieldID: id, fieldEvent: name, fieldNamespace: namespace, fieldArgs: args, fieldKey: key,
			fieldTime: at, fieldReply: reply, fieldAfter: after,
		} {
			if v != "" {
				fields[n] = v
			}
		}
		e := decode(entry, fields)
		if e.Fault != nil {
			if json.Valid([]byte(args)) && strings.HasPrefix(strings.TrimSpace(args), "[") {
				t.Fatalf("args %q are refused: %v", args, e.Fault)
			}
			return
		}
		again := decode(entry, pairs(q.encode(nil, &e.Event)))
		if again.ID == entry && e.ID == "" {
			again.ID = ""
		}
		e.Time, again.Time = e.Time.UTC(), again.Time.UTC()
		if y := e.Time.Year(); y < 1 || y > 9999 || e.Time.IsZero() {
			again.Time = e.Time // RFC 3339 has four digits for a year
		}
		if !reflect.DeepEqual(e.Event, again.Event) {
			t.Fatalf("%+v becomes %+v", e.Event, again.Event)
		}
	})
}

// FuzzAnswer wants that what backends write breaks nobody.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{`{"args":[1,"a"]}`, `{"error":"no"}`, `{}`, `null`, `[]`, `{"args":{}}`, `{"args":null}`, `{"args":[],"error":"x"}`, `{`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		a, err := decodeAnswer(text)
		if err != nil {
			return
		}
		written, err := encodeAnswer(a)
		if err != nil {
			t.Fatalf("%+v cannot be written: %v", a, err)
		}
		again, err := decodeAnswer([]byte(written))
		if err != nil || again.Error != a.Error || (len(a.Args) == 0) != (len(again.Args) == 0) {
			t.Fatalf("%+v becomes %+v, %v", a, again, err)
		}
	})
}

func TestEntriesOfOthers(t *testing.T) {
	e := decode("1763837000123-4", map[string]string{"_class": "x", "message": "hi"})
	want := belfry.Event{ID: "1763837000123-4", Time: time.UnixMilli(1763837000123)}
	if e.Fault != nil || !reflect.DeepEqual(e.Event, want) || e.Fields["message"] != "hi" {
		t.Errorf("got %+v, %v", e, e.Fault)
	}
}

func TestRoomsOfAnEntry(t *testing.T) {
	q := &Queue{names: newNames(Options{Name: "rooms", Prefix: "belfry:"})}
	e := belfry.Event{ID: "1", Room: "a", Rooms: []belfry.Room{"a", `"b"`}}
	fields := pairs(q.encode(nil, &e))
	if fields[fieldRooms] != `["a","\"b\""]` {
		t.Errorf("fields %v", fields)
	}
	if got := decode("1-1", fields); !reflect.DeepEqual(got.Rooms, e.Rooms) {
		t.Errorf("rooms %q", got.Rooms)
	}
	fields[fieldRooms] = "a"
	if got := decode("1-1", fields); got.Room != "a" || got.Rooms != nil || got.Fault != nil {
		t.Errorf("%+v", got)
	}
}
