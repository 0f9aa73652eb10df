package archive_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/archive"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var at = time.Date(2026, 3, 4, 5, 6, 7, 123456000, time.UTC)

func TestDecode(t *testing.T) {
	full := archive.Entry{
		ID: "a1", Namespace: "/chat", Room: "lobby", Event: "say", Args: json.RawMessage(`[{"text":"hi"}, 1.0]`), Text: "hi",
		User: "ada", Socket: "s1", Key: "k", Time: at, Offset: "e-1",
	}
	least := archive.Entry{ID: "rec-1", Namespace: "/", Room: "lobby", Event: "say", Args: json.RawMessage(`[]`), Key: "lobby", Time: at}
	for name, test := range map[string]struct {
		record belfry.Record
		want   archive.Entry
	}{
		"JSON": {belfry.Record{ID: "rec-1", Key: "other", Value: []byte(` {"id":"a1","namespace":"/chat","room":"lobby","event":"say",
			"args":[{"text":"hi"}, 1.0],"text":"hi","user":"ada","socket":"s1","key":"k","time":"2026-03-04T06:06:07.123456789+01:00",
			"offset":"e-1","node":"n","reply":true}`)}, full},
		"fields": {belfry.Record{ID: "rec-1", Meta: map[string]string{
			"id": "a1", "namespace": "/chat", "room": "lobby", "event": "say", "args": `[{"text":"hi"}, 1.0]`, "text": "hi", "user": "ada",
			"socket": "s1", "key": "k", "time": "2026-03-04T05:06:07.123456Z", "offset": "e-1", "node": "n",
		}}, full},
		"the record says the rest":  {belfry.Record{ID: "rec-1", Key: "lobby", Time: at.Add(99), Value: []byte(`{"event":"say"}`)}, least},
		"fields, the least":         {belfry.Record{ID: "rec-1", Key: "lobby", Time: at, Meta: map[string]string{"event": "say"}}, least},
		"null is not there":         {belfry.Record{ID: "rec-1", Key: "lobby", Time: at, Value: []byte(`{"event":"say","args":null,"time":null}`)}, least},
		"milliseconds":              {belfry.Record{ID: "rec-1", Key: "lobby", Value: []byte(`{"event":"say","time":1772600767000}`)}, with(least, at.Truncate(time.Second))},
		"milliseconds, in a string": {belfry.Record{ID: "rec-1", Key: "lobby", Value: []byte(`{"event":"say","time":"1772600767000"}`)}, with(least, at.Truncate(time.Second))},
	} {
		got, err := archive.Decode(&test.record)
		if err != nil || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", []archive.Entry{test.want}) {
			t.Errorf("%s: %v\n%+v\nwant\n%+v", name, err, got, test.want)
		}
	}
}

func TestDecodeInSeveralRooms(t *testing.T) {
	for _, r := range []belfry.Record{
		{Time: at, Value: []byte(`{"id":"a1","event":"e","rooms":["x","y"],"room":"z"}`)},
		{Time: at, Meta: map[string]string{"id": "a1", "event": "e", "rooms": `["x","y"]`, "room": "z"}},
	} {
		got, err := archive.Decode(&r)
		if err != nil || len(got) != 2 || got[0].Position().ID != "a1" || got[0].Room != "x" || got[1].ID != "a1#y" || got[1].Room != "y" {
			t.Errorf("%+v %v", got, err)
		}
	}
	if got, err := archive.Decode(&belfry.Record{Time: at, Meta: map[string]string{"id": "a1", "event": "e", "rooms": "x"}}); err == nil {
		t.Errorf("%+v", got)
	}
	for _, text := range []string{`{"id":"a1","event":"e","rooms":[]}`, `{"id":"a1","event":"e","rooms":["x",""]}`} {
		if got, err := archive.Decode(&belfry.Record{Time: at, Value: []byte(text)}); err == nil {
			t.Errorf("%s: %+v", text, got)
		}
	}
}

func with(e archive.Entry, t time.Time) archive.Entry {
	e.Time = t
	return e
}

func TestDecodeNamesFaults(t *testing.T) {
	value := func(text string) belfry.Record {
		return belfry.Record{ID: "rec-1", Key: "lobby", Time: at, Value: []byte(text)}
	}
	for text, want := range map[string]string{
		`nonsense`:                               "must be a JSON object",
		`[]`:                                     "must be a JSON object",
		`{"event":"e"`:                           "read the value: unexpected end",
		`{"event":7}`:                            "read the value",
		`{}`:                                     "event is missing",
		`{"event":"e","args":{}}`:                "args must be a JSON array",
		`{"event":"e","namespace":"x"}`:          "namespace must begin with a slash",
		`{"event":"e","time":"soon"}`:            `time is "soon"`,
		`{"event":"e","time":7}`:                 "before the year 2000",
		`{"event":"e","time":99999999999999999}`: "after the year 9998",
		`{"event":"e\u0000"}`:                    "event holds a NUL",
		`{"event":"e","id":"` + strings.Repeat("x", 513) + `"}`: "id has 513 bytes",
		"{\"event\":\"e\",\"args\":[\"\xff\"]}":                 "args must be a JSON array",
	} {
		r := value(text)
		if e, err := archive.Decode(&r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, want %q; %+v", text, err, want, e)
		}
	}
	for want, r := range map[string]belfry.Record{
		"id is missing":   {Key: "lobby", Time: at, Value: []byte(`{"event":"e"}`)},
		"room is missing": {ID: "1", Time: at, Value: []byte(`{"event":"e"}`)},
		"time is missing": {ID: "1", Key: "lobby", Value: []byte(`{"event":"e"}`)},
		"user is not UTF": {ID: "1", Key: "lobby", Time: at, Meta: map[string]string{"event": "e", "user": "\xff"}},
		"args must be":    {ID: "1", Key: "lobby", Time: at, Meta: map[string]string{"event": "e", "args": "[1"}},
	} {
		if _, err := archive.Decode(&r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// FuzzDecode: whatever comes is refused, or valid and the same when it is read again.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"id":"a1","namespace":"/chat","room":"lobby","event":"say","args":[{"text":"hi"}],"time":"2026-03-04T05:06:07.123456Z"}`,
		`{"event":"say","time":1772600767000,"args":null}`, `{"event":"e\u0000","args":["\ud800"]}`, "{\"event\":\"\xff\"}", `{`, ``, `[]`, `{"time":"99999"}`, `{"event":"e","rooms":["a","b",""]}`,
	} {
		f.Add([]byte(seed), "id", "key", "[1,2]")
	}
	f.Fuzz(func(t *testing.T, value []byte, id, key, args string) {
		for _, r := range []belfry.Record{
			{ID: id, Key: key, Value: value, Time: at},
			{ID: id, Key: key, Time: at, Meta: map[string]string{"event": key, "args": args, "time": id}},
		} {
			entries, err := archive.Decode(&r)
			if err != nil {
				continue
			}
			if again, err := archive.Decode(&r); err != nil || fmt.Sprint(again) != fmt.Sprint(entries) {
				t.Fatalf("%+v is another when it comes again: %+v %v", entries, again, err)
			}
			for _, e := range entries {
				if err := e.Validate(); err != nil {
					t.Fatalf("%+v: %v", e, err)
				}
				p, err := archive.ParsePosition(e.Position().String())
				if err != nil || p.Compare(e.Position()) != 0 {
					t.Fatalf("%+v is read as %+v: %v", e.Position(), p, err)
				}
			}
		}
	})
}

// FuzzParsePosition: what is read is written the same way.
func FuzzParsePosition(f *testing.F) {
	f.Add("")
	f.Add("x")
	f.Add(archive.Position{Time: at, ID: "a1"}.String())
	f.Add(archive.Position{Time: at, ID: "ü"}.String() + "=")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := archive.ParsePosition(text)
		if err == nil && p.String() != text {
			t.Fatalf("%q is %+v, which is %q", text, p, p.String())
		}
	})
}

func TestPositions(t *testing.T) {
	for _, p := range []archive.Position{{}, {Time: at, ID: "x"}, {Time: at, ID: strings.Repeat("ä", 256)}} {
		if got, err := archive.ParsePosition(p.String()); err != nil || got != p {
			t.Errorf("%+v: %+v %v", p, got, err)
		}
	}
	for _, text := range []string{"!", "AAAA", archive.Position{Time: at}.String(), archive.Position{Time: at, ID: "a\x00"}.String(), archive.Position{Time: time.Unix(0, 0), ID: "a"}.String()} {
		if p, err := archive.ParsePosition(text); err == nil {
			t.Errorf("%q: %+v", text, p)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	r := belfry.Record{ID: "rec-1", Key: "lobby", Time: at, Value: []byte(`{"id":"01J9Z3T0V8Q4X7N5K2M6P1R3","room":"lobby","event":"say",` +
		`"args":[{"text":"` + strings.Repeat("x", 200) + `"}],"user":"ada","socket":"abcdefghijklmnopqrst","time":"2026-03-04T05:06:07.123456Z"}`)}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := archive.Decode(&r); err != nil {
			b.Fatal(err)
		}
	}
}
