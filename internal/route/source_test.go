package route

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/seed-09a96375/belfry"
)

func newInlet(t *testing.T, d *desk, s Source) func(*belfry.Record) error {
	t.Helper()
	s.Name, s.Stream = "src", "S"
	r, err := New(Options{Sources: []Source{s}}, Links{Publish: d.publish})
	if err != nil {
		t.Fatal(err)
	}
	handle, err := r.Handle("src")
	if err != nil {
		t.Fatal(err)
	}
	return func(rec *belfry.Record) error { return handle(t.Context(), rec) }
}

func TestARecordBecomesAnEvent(t *testing.T) {
	for name, test := range map[string]struct {
		source Source
		record belfry.Record
		want   string
	}{
		"topic of a broadcast": {
			Source{Emit: Emit{Rooms: []string{"{payload.topic#/topic/}"}, Args: []string{"{payload.message}"}}},
			belfry.Record{Value: []byte(`{"topic":"/topic/toast","message":"hi"}`)},
			`/ ["toast"] ["message","hi"] `,
		},
		"fields of a stream": {
			Source{Emit: Emit{Rooms: []string{"{meta.topic#/topic/|to-frontend}"}, Args: []string{"{meta.message}"}}},
			belfry.Record{ID: "S/1-0", Value: []byte(`{}`), Meta: map[string]string{"_class": "dto.Event", "message": "New"}},
			`/ ["to-frontend"] ["message","New"] src:S/1-0>0`,
		},
		"a text in quotes": {
			Source{Emit: Emit{Rooms: []string{"greetings"}, Args: []string{"{payload}"}}},
			belfry.Record{Value: []byte(`"Test"`)},
			`/ ["greetings"] ["message","Test"] `,
		},
		"all of a namespace": {
			Source{Namespace: "/n", All: true, Emit: Emit{As: "tick"}, ID: "{key}"},
			belfry.Record{Value: []byte("a \"b\""), Key: "k", ID: "x"},
			`/n [] ["tick","a \"b\""] src:k>0`,
		},
		"users": {
			Source{Emit: Emit{Users: []string{"{payload.to}"}, As: "{payload.kind}", Args: []string{"{payload}"}}},
			belfry.Record{Value: []byte(`{"to":["a","b"],"kind":"note"}`)},
			`/ ["\x00user:a" "\x00user:b"] ["note",{"to":["a","b"],"kind":"note"}] `,
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk()
			if err := newInlet(t, d, test.source)(&test.record); err != nil {
				t.Fatal(err)
			}
			m := d.messages[0]
			if got := fmt.Sprintf("%s %q %s %s", m.Namespace, m.Target.Rooms, m.Data, m.ID); got != test.want {
				t.Errorf("message is\n%s, want\n%s", got, test.want)
			}
		})
	}
}

func TestPoisonNamesTheField(t *testing.T) {
	for value, want := range map[string]string{
		`{"message":"x"}`:        "{payload.topic} is missing",
		`not json`:               "{payload.topic} is missing",
		`{"topic":{}}`:           "{payload.topic} must be a text",
		`{"topic":""}`:           "the room has no name",
		"{\"topic\":\"\xff\"}":   "{payload.topic} is missing",
		`{"topic":"\u0000user"}`: "begins with NUL",
	} {
		d := newDesk()
		err := newInlet(t, d, Source{Emit: Emit{Rooms: []string{"{payload.topic}"}}})(&belfry.Record{Value: []byte(value)})
		var poison *belfry.PoisonError
		if !errors.As(err, &poison) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error is %v, want %q", value, err, want)
		}
		if len(d.messages) > 0 {
			t.Errorf("%s was published", value)
		}
	}
}

func TestARecordIsPublishedOnce(t *testing.T) {
	d := newDesk()
	handle := newInlet(t, d, Source{Emit: Emit{Rooms: []string{"x"}}})
	d.busErr = belfry.ErrUnavailable
	rec := &belfry.Record{ID: "S/1-0"}
	var poison *belfry.PoisonError
	if err := handle(rec); !errors.Is(err, belfry.ErrUnavailable) || errors.As(err, &poison) {
		t.Fatal(err)
	}
	d.busErr = nil
	for range 2 {
		if err := handle(rec); err != nil {
			t.Fatal(err)
		}
	}
	if len(d.messages) != 1 {
		t.Errorf("published %d times", len(d.messages))
	}
}
