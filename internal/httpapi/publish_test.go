package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/auth"
	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/internal/httpapi"
)

func TestPublish(t *testing.T) {
	c := newCluster(t, httpapi.Options{})
	ada, bob, eve := enter(t, c.a, "ada-1", "ada", "chat"), enter(t, c.b, "bob-1", "bob", "chat", "muted"), enter(t, c.b, "eve-1", "")
	var published struct{ Offset string }
	c.do("POST", "/api/publish", `{"rooms":["chat"],"event":"msg","args":[ {"text" : "a b"}, 1e3 ]}`).into(&published)
	if published.Offset == "" {
		t.Error("no offset")
	}
	for _, body := range []string{
		`{"event":"all"}`,
		`{"rooms":["chat"],"except":["muted"],"event":"some","args":[]}`,
		`{"user":"bob","event":"one"}`,
		`{"rooms":["eve-1"],"event":"id","args":["\u00e4\u2028\""]}`,
	} {
		c.do("POST", "/api/publish", body).into(&published)
	}
	c.do("POST", "/api/users/bob/publish", `{"event":"direct","args":[null]}`).into(&published)
	c.do("POST", "/api/publish", `{"rooms":["chat"],"event":"now","ephemeral":true,"namespace":"/"}`).want(http.StatusOK, `{}`)
	ada.want(`["msg",{"text":"a b"},1e3]`, `["all"]`, `["some"]`, `["now"]`)
	bob.want(`["msg",{"text":"a b"},1e3]`, `["all"]`, `["one"]`, `["direct",null]`, `["now"]`)
	eve.want(`["all"]`, `["id","\u00e4\u2028\""]`)
	if !bob.got[4].Volatile || bob.got[3].Volatile {
		t.Error("what is ephemeral is not volatile, or what is not is")
	}
}

func TestBinary(t *testing.T) {
	c := newCluster(t, httpapi.Options{})
	ada := enter(t, c.b, "ada-1", "", "chat")
	c.do("POST", "/api/publish", `{"rooms":["chat"],"event":"file","args":[{"name":"x","data":{"$binary":"aGk="}}, {"$binary":""}]}`)
	ada.want(`["file",{"name":"x","data":{"_placeholder":true,"num":0}},{"_placeholder":true,"num":1}]`)
	if got := ada.got[0].Attachments; !reflect.DeepEqual(got, [][]byte{[]byte("hi"), {}}) {
		t.Errorf("attachments %q", got)
	}
	for _, args := range []string{`[{"$binary":"?"}]`, `[{"$binary":1}]`, `[{"$binary":"aGk="},{"_placeholder":true,"num":7}]`} {
		p := c.do("POST", "/api/publish", `{"rooms":["chat"],"event":"file","args":`+args+`}`).wantProblem(http.StatusBadRequest, "invalid", "/args")
		if len(p.Errors) != 1 || p.Errors[0].Field != "/args" {
			t.Errorf("%s: %+v", args, p.Errors)
		}
	}
}

func TestBatch(t *testing.T) {
	c := newCluster(t, httpapi.Options{MaxBatch: 3})
	ada := enter(t, c.b, "ada-1", "", "a", "b")
	var got struct{ Results []struct{ Offset string } }
	c.do("POST", "/api/batch", `{"messages":[{"rooms":["a"],"event":"1"},{"rooms":["b"],"event":"2"},{"event":"3","ephemeral":true}]}`).into(&got)
	if len(got.Results) != 3 || got.Results[0].Offset == "" || got.Results[1].Offset == "" || got.Results[2].Offset != "" {
		t.Errorf("%+v", got)
	}
	ada.want(`["1"]`, `["2"]`, `["3"]`)
	p := c.do("POST", "/api/batch", `{"messages":[{"event":"1"},{"room":"b","event":2},{"event":"3","namespace":"/x"}]}`).wantProblem(400, "invalid", "/messages/1/room is not known")
	wantFields(t, p, "/messages/1/room", "/messages/1/event", "/messages/2/namespace")
	wantFields(t, c.do("POST", "/api/batch", `{"messages":[{"event":"1"},{"event":"1"},{"event":"1"},{"event":"1"}]}`).wantProblem(400, "invalid", "4 elements"), "/messages")
	wantFields(t, c.do("POST", "/api/batch", `{"messages":[]}`).wantProblem(400, "invalid", "is empty"), "/messages")
	if n := len(ada.data()); n != 3 {
		t.Errorf("%d messages of batches that are wrong were published", n-3)
	}
}

func wantFields(t *testing.T, p problem, fields ...string) {
	t.Helper()
	var got []string
	for _, f := range p.Errors {
		got = append(got, f.Field+f.Parameter)
	}
	if !reflect.DeepEqual(got, fields) {
		t.Errorf("faults %+v, want those of %q", p.Errors, fields)
	}
}

// failing is a bus whose messages with certain events are not accepted.
type failing struct {
	belfry.Bus
	errs map[string]error // by Data
}

func (f *failing) Attach(ctx context.Context, n belfry.Node) (belfry.Link, error) {
	l, err := f.Bus.Attach(ctx, n)
	return &failingLink{l, f.errs}, err
}

type failingLink struct {
	belfry.Link
	errs map[string]error
}

func (l *failingLink) Publish(ctx context.Context, m *belfry.Message) error {
	if err := l.errs[string(m.Data)]; err != nil {
		if errors.Is(err, belfry.ErrDuplicate) {
			m.Offset = "17"
		}
		return err
	}
	return l.Link.Publish(ctx, m)
}

func newFailing() *failing {
	return &failing{memory.New(memory.Options{}), map[string]error{
		`["away"]`:   fmt.Errorf("%w: refused", belfry.ErrUnavailable),
		`["doubt"]`:  fmt.Errorf("%w: %w", belfry.ErrInDoubt, belfry.ErrUnavailable),
		`["late"]`:   context.DeadlineExceeded,
		`["closed"]`: belfry.ErrClosed,
		`["broken"]`: errors.New("a secret of the node"),
		`["again"]`:  belfry.ErrDuplicate,
	}}
}

func TestPublishFailures(t *testing.T) {
	c := onBus(t, newFailing(), httpapi.Options{})
	for event, want := range map[string]struct {
		status     int
		code, text string
	}{
		"away":   {503, "unavailable", "nothing was accepted"},
		"doubt":  {503, "in_doubt", "same id"},
		"late":   {503, "in_doubt", "same id"},
		"closed": {503, "unavailable", "another node"},
		"broken": {500, "internal", "log of the node"},
	} {
		got := c.do("POST", "/api/publish", `{"event":"`+event+`"}`)
		got.wantProblem(want.status, want.code, want.text)
		if (got.header.Get("Retry-After") != "") != (want.status == 503) || strings.Contains(got.body, "secret") {
			t.Errorf("%s: %v %s", event, got.header, got.body)
		}
	}
	c.do("POST", "/api/publish", `{"event":"again"}`).want(200, `{"duplicate":true,"offset":"17"}`)
}

func TestBatchThatStops(t *testing.T) {
	c := onBus(t, newFailing(), httpapi.Options{})
	ada := enter(t, c.b, "ada-1", "")
	got := c.do("POST", "/api/batch", `{"messages":[{"event":"1"},{"event":"again"},{"event":"away"},{"event":"4"}]}`)
	p := got.wantProblem(503, "unavailable", "message 2 of 4 was not published, nor were those after it")
	wantFields(t, p, "/messages/2")
	if len(p.Results) != 2 || !sameJSON(string(p.Results[1]), `{"duplicate":true,"offset":"17"}`) || got.header.Get("Retry-After") == "" {
		t.Errorf("results %s, %v", p.Results, got.header)
	}
	ada.want(`["1"]`)
}

func TestGrants(t *testing.T) {
	few := strings.Repeat("f", 32)
	c := newCluster(t, httpapi.Options{Auth: keys(t, auth.APIKey{Name: "few", Key: few, Grants: auth.Rules{
		API: true, Publish: []string{"orders:*"}, Presence: []string{"orders:*"}, Join: []string{"orders:*"},
	}})})
	enter(t, c.b, "ada-1", "ada", "orders:1", "chat")
	c.key = few
	for _, call := range [][3]string{
		{"POST", "/api/publish", `{"rooms":["orders:1"],"event":"e"}`},
		{"GET", "/api/rooms/orders:1", ""},
		{"POST", "/api/rooms/orders:2/join", `{"sessions":["ada-1"]}`},
		{"POST", "/api/rooms/orders:2/leave", `{"users":["ada"]}`},
		{"GET", "/api/nodes", ""},
	} {
		if got := c.do(call[0], call[1], call[2]); got.status != 200 {
			t.Errorf("%v: %d %s", call, got.status, got.body)
		}
	}
	c.do("GET", "/api/rooms", "").want(200, `{"rooms":["orders:1"]}`)
	for _, call := range [][3]string{
		{"POST", "/api/publish", `{"rooms":["chat"],"event":"e"}`},
		{"POST", "/api/publish", `{"rooms":["orders:1","chat"],"event":"e"}`},
		{"POST", "/api/publish", `{"event":"e"}`},
		{"POST", "/api/publish", `{"user":"ada","event":"e"}`},
		{"POST", "/api/batch", `{"messages":[{"rooms":["orders:1"],"event":"e"},{"rooms":["chat"],"event":"e"}]}`},
		{"POST", "/api/users/ada/publish", `{"event":"e"}`},
		{"GET", "/api/rooms/chat", ""},
		{"GET", "/api/rooms/chat/presence", ""},
		{"POST", "/api/rooms/chat/join", `{"sessions":["ada-1"]}`},
		{"POST", "/api/rooms/chat/leave", `{"sessions":["ada-1"]}`},
		{"GET", "/api/sessions", ""},
		{"GET", "/api/sessions/ada-1", ""},
		{"DELETE", "/api/sessions/ada-1", ""},
		{"GET", "/api/users/ada/sessions", ""},
		{"DELETE", "/api/users/ada/sessions", ""},
		{"POST", "/api/reply", `{"id":"1","args":[]}`},
	} {
		if got := c.do(call[0], call[1], call[2]); got.status != 403 || !strings.Contains(got.body, `"code":"forbidden"`) {
			t.Errorf("%v: %d %s", call, got.status, got.body)
		}
	}
	p := c.do("POST", "/api/batch", `{"messages":[{"event":"e"},{"rooms":["orders:1","chat"],"event":"e"}]}`).wantProblem(403, "forbidden", "and 1 more")
	wantFields(t, p, "/messages/0/rooms", "/messages/1/rooms/1")
}
