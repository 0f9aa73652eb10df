package httpapi_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/internal/httpapi"
	"github.com/seed-09a96375/belfry/socketio/packet"
)

// body is what encoding/json makes of a body of publish.
type body struct {
	Rooms, Except              []string
	User, Event, ID, Namespace string
	Args                       []json.RawMessage
	Ephemeral                  bool
}

// FuzzPublish: whatever comes, what is accepted is what encoding/json reads in it, and
// reaches the bus as a valid event; all else is a problem.
func FuzzPublish(f *testing.F) {
	for _, seed := range []string{
		`{"rooms":["a"],"event":"e","args":[1, {"x":[true,null,"\ud83d\ude00"]}],"id":"1"}`, `{"event":"e","args":[{"$binary":"aGk="}]}`,
		`{"event":"\ud800"}`, `{"event":"e","ephemeral":true,"except":["x"],"user":"u","namespace":"/"}`, `[{}]`, `{"event":{"event":"e"}}`, "{\"event\":\"\xff\"}", "",
	} {
		f.Add([]byte(seed))
	}
	c := newCluster(f, httpapi.Options{Open: true})
	c.doc, c.key = nil, ""
	ada := enter(f, c.b, "ada-1", "")
	f.Fuzz(func(t *testing.T, text []byte) {
		c.t, ada.t = t, t
		ada.got = nil
		r := c.request("POST", "/api/publish", "")
		r.Header.Set("Content-Type", "application/json")
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
		got := c.send(r)
		if got.status != http.StatusOK {
			got.wantProblem(got.status, codeOf(got.body), "")
			if got.status != 400 && got.status != 413 {
				t.Errorf("%q: %d %s", text, got.status, got.body)
			}
			return
		}
		var want body
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		if err := d.Decode(&want); err != nil {
			t.Fatalf("%q is accepted, but: %v", text, err)
		}
		if len(want.Rooms) > 0 || want.User != "" || len(ada.got) == 0 {
			return
		}
		checkEvent(t, ada.got[0], &want)
	})
}

func codeOf(text string) string {
	var p problem
	_ = json.Unmarshal([]byte(text), &p) // an empty code fits no problem
	return p.Code
}

func checkEvent(t *testing.T, m *belfry.Message, want *body) {
	t.Helper()
	name, err := packet.EventName(m.Data)
	elements := packet.Split(nil, m.Data)
	if !json.Valid(m.Data) || err != nil || string(name) != want.Event || len(elements) != len(want.Args)+1 || m.Volatile != want.Ephemeral {
		t.Fatalf("%s is not %+v: %v", m.Data, want, err)
	}
	if len(m.Attachments) > 0 {
		return
	}
	for i, raw := range elements[1:] {
		if !sameJSON(string(raw), string(want.Args[i])) {
			t.Errorf("argument %d is %s, want %s", i, raw, want.Args[i])
		}
	}
}
