package httpapi_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/internal/httpapi"
)

func belfryID(name string) belfry.SocketID { return belfry.SocketID(hex.EncodeToString([]byte(name))) }

func roomNamed(name string) belfry.Room { return belfry.Room(name) }

type sessionList struct {
	Sessions []struct {
		ID, User, Node, Address string
		Rooms                   []string
		ConnectedAt             time.Time
	}
	Next    string
	Missing []string
}

func (l sessionList) ids() (ids []string) {
	for _, s := range l.Sessions {
		ids = append(ids, s.ID)
	}
	return ids
}

func TestSessions(t *testing.T) {
	c := newCluster(t, httpapi.Options{})
	enter(t, c.a, "s1", "ada", "chat")
	enter(t, c.b, "s2", "ada", "chat")
	enter(t, c.b, "s3", "bob", "chat", "other")
	for target, want := range map[string][]string{
		"/api/sessions": {"s1", "s2", "s3"}, "/api/rooms/chat": {"s1", "s2", "s3"}, "/api/rooms/other?namespace=/": {"s3"},
		"/api/rooms/nobody": nil, "/api/users/ada/sessions": {"s1", "s2"}, "/api/users/eve/sessions": nil, "/api/rooms/s2": {"s2"},
		"/api/sessions?after=s1": {"s2", "s3"}, "/api/sessions?after=s11&limit=1": {"s2"}, "/api/sessions?after=s3": nil,
	} {
		var got sessionList
		if c.do("GET", target, "").into(&got); !reflect.DeepEqual(got.ids(), want) {
			t.Errorf("%s: %v, want %v", target, got.ids(), want)
		}
	}
	got := c.do("GET", "/api/sessions/s1", "")
	got.want(200, `{"id":"s1","user":"ada","node":"node-a","rooms":["chat"],"address":"192.0.2.1","connectedAt":"2023-11-14T22:13:20Z","data":{"n":1}}`)
	if strings.Contains(got.body, "secret") {
		t.Error("headers of a client are told")
	}
	c.do("GET", "/api/sessions/nobody", "").wantProblem(404, "not_found", "nobody")
	c.do("GET", "/api/sessions/chat", "").wantProblem(404, "not_found", "chat") // a room, no session
	var page sessionList
	var all []string
	for next := "-"; next != ""; next = page.Next {
		page = sessionList{}
		c.do("GET", "/api/sessions?limit=2&after="+strings.TrimPrefix(next, "-"), "").into(&page)
		all = append(all, page.ids()...)
	}
	if !reflect.DeepEqual(all, []string{"s1", "s2", "s3"}) {
		t.Errorf("pages: %v", all)
	}
}

func TestRooms(t *testing.T) {
	c := newCluster(t, httpapi.Options{})
	enter(t, c.a, "s1", "ada", "a", "b/1", "b/2")
	enter(t, c.b, "s2", "bob", "a", "b/3")
	c.do("GET", "/api/rooms", "").want(200, `{"rooms":["a","b/1","b/2","b/3"]}`)
	c.do("GET", "/api/rooms?limit=2", "").want(200, `{"rooms":["a","b/1"],"next":"b/1"}`)
	c.do("GET", "/api/rooms?limit=2&after=b/1", "").want(200, `{"rooms":["b/2","b/3"]}`)
	c.do("GET", "/api/rooms?prefix=b/&limit=1", "").want(200, `{"rooms":["b/1"],"next":"b/1"}`)
}

func TestJoinAndLeave(t *testing.T) {
	c := newCluster(t, httpapi.Options{})
	s1, s2, s3 := enter(t, c.a, "s1", "ada"), enter(t, c.b, "s2", "ada"), enter(t, c.b, "s3", "")
	in := func(room belfry.Room) [3]bool {
		return [3]bool{s1.space.Has(s1.slot, room), s2.space.Has(s2.slot, room), s3.space.Has(s3.slot, room)}
	}
	c.do("POST", "/api/rooms/r/join", `{"users":["ada"]}`).want(200, `{"sessions":2}`)
	if got := in("r"); got != [3]bool{true, true, false} {
		t.Errorf("in the room: %v", got)
	}
	c.do("POST", "/api/rooms/r/join", `{"sessions":["s3","nobody"]}`).want(200, `{"sessions":1}`)
	c.do("POST", "/api/rooms/r/leave", `{"sessions":["s1"],"users":["nobody"]}`).want(200, `{}`)
	if got := in("r"); got != [3]bool{false, true, true} {
		t.Errorf("in the room: %v", got)
	}
	for _, verb := range []string{"join", "leave"} { // must not be everybody
		wantFields(t, c.do("POST", "/api/rooms/r/"+verb, `{}`).wantProblem(400, "invalid", "at least one"), "")
		wantFields(t, c.do("POST", "/api/rooms/r/"+verb, `{"sessions":[]}`).wantProblem(400, "invalid", "at least one"), "")
	}
	if got := in("r"); got != [3]bool{false, true, true} {
		t.Errorf("in the room: %v", got)
	}
}

func TestDisconnect(t *testing.T) {
	c := newCluster(t, httpapi.Options{})
	s1, s2, s3 := enter(t, c.a, "s1", "ada"), enter(t, c.b, "s2", "ada"), enter(t, c.b, "s3", "")
	c.do("DELETE", "/api/sessions/s3", "").want(200, `{"sessions":["s3"]}`)
	s3.await("end", func() bool { return s3.ended == 1 && !s3.whole })
	c.do("DELETE", "/api/users/ada/sessions?closeTransport=true", "").want(200, `{"sessions":["s1","s2"]}`)
	for _, g := range []*guest{s1, s2} {
		g.await("end", func() bool { return g.ended == 1 && g.whole })
	}
	c.do("DELETE", "/api/sessions/nobody", "").wantProblem(404, "not_found", "nobody")
	c.do("DELETE", "/api/users/nobody/sessions", "").want(200, `{"sessions":[]}`)
}

func TestPresence(t *testing.T) {
	c := newCluster(t, httpapi.Options{})
	ada := enter(t, c.b, "s1", "ada", "meet")
	stay := belfry.Stay{Place: belfry.Place{Room: "meet"}, Socket: "s1", Hold: 1}
	_, err := ada.space.Enter(t.Context(), stay, belfry.Entrance{User: "ada", Meta: []byte(`{"name":"Ada"}`)})
	must(t, err)
	_, err = ada.space.SetEntry(t.Context(), "meet", belfry.Entry{Key: "sharing", Value: []byte(`true`)}, 10)
	must(t, err)
	var got struct {
		Count   int
		Members []belfry.Present
		State   []belfry.Entry
	}
	c.do("GET", "/api/rooms/meet/presence", "").into(&got)
	if got.Count != 1 || len(got.Members) != 1 || got.Members[0].User != "ada" || string(got.Members[0].Meta) != `{"name":"Ada"}` ||
		len(got.State) != 1 || string(got.State[0].Value) != "true" {
		t.Errorf("%+v", got)
	}
	c.do("GET", "/api/rooms/meet/presence?members=false", "").want(200, `{"count":1}`)
	c.do("GET", "/api/rooms/nobody/presence", "").want(200, `{"count":0}`)
	without := onBus(t, newFailing(), httpapi.Options{}) // its link has no presence
	without.do("GET", "/api/rooms/meet/presence", "").wantProblem(501, "not_supported", "presence")
}

func TestNodes(t *testing.T) {
	c := newCluster(t, httpapi.Options{Version: "v1.2.3", Health: func() (bool, []string) { return false, []string{"draining"} }})
	enter(t, c.a, "s1", "")
	must(t, c.b.Directory().Announce(t.Context(), "http://10.0.0.2:8080#secret"))
	type node struct {
		ID, URL, Version     string
		Self, Answers, Ready bool
		Sessions             int
		Reasons              []string
	}
	var got struct{ Nodes []node }
	c.do("GET", "/api/nodes", "").into(&got)
	want := []node{
		{ID: "node-a", Version: "v1.2.3", Self: true, Answers: true, Sessions: 1, Reasons: []string{"draining"}},
		{ID: "node-b", URL: "http://10.0.0.2:8080", Answers: true},
	}
	if !reflect.DeepEqual(got.Nodes, want) {
		t.Errorf("got %+v", got.Nodes)
	}
}

// mute is a node of the cluster that never answers.
type mute struct{}

func (mute) ID() belfry.NodeID       { return "mute" }
func (mute) Deliver(*belfry.Message) {}
func (mute) Replied(*belfry.Reply)   {}

// TestMissingNodes: who does not answer is named, and does not spoil what the others
// say.
func TestMissingNodes(t *testing.T) {
	bus := memory.New(memory.Options{})
	c := onBus(t, bus, httpapi.Options{Timeout: 300 * time.Millisecond})
	link, err := bus.Attach(t.Context(), mute{})
	must(t, err)
	defer link.Close(context.Background())
	enter(t, c.b, "s1", "ada", "chat")
	for target, want := range map[string]string{
		"/api/rooms": `{"rooms":["chat"],"missing":["mute"]}`,
	} {
		c.do("GET", target, "").want(200, want)
	}
	var got sessionList
	c.do("GET", "/api/rooms/chat", "").into(&got)
	if !reflect.DeepEqual(got.ids(), []string{"s1"}) || !reflect.DeepEqual(got.Missing, []string{"mute"}) {
		t.Errorf("%+v", got)
	}
	if p := c.do("GET", "/api/sessions/s9", "").wantProblem(503, "incomplete", "one of the others"); !reflect.DeepEqual(p.Missing, []string{"mute"}) {
		t.Errorf("%+v", p)
	}
	if p := c.do("POST", "/api/rooms/r/join", `{"users":["ada"]}`).wantProblem(503, "incomplete", "safe to repeat"); !reflect.DeepEqual(p.Missing, []string{"mute"}) {
		t.Errorf("%+v", p)
	}
	if body := c.do("GET", "/api/nodes", "").body; !strings.Contains(body, `{"id":"mute","self":false,"answers":false}`) {
		t.Error(body)
	}
}

// answers is a belfry.Answers that notes what it gets.
type answers map[string]string

func (a answers) Answer(_ context.Context, id string, said *belfry.Answer) error {
	if _, ok := a[id]; ok {
		return fmt.Errorf("event %s: %w", id, belfry.ErrAnswered)
	}
	a[id] = string(said.Args) + said.Error
	return nil
}

func (answers) Await(context.Context, string) (*belfry.Answer, error) { return nil, hub.ErrNoMember }

func TestReply(t *testing.T) {
	said := answers{}
	c := newCluster(t, httpapi.Options{Answers: said})
	c.do("POST", "/api/reply", `{"id":"e1","args":["ok",{"n":1}]}`).want(200, `{}`)
	c.do("POST", "/api/reply", `{"id":"e2","error":"sold out"}`).want(200, `{}`)
	c.do("POST", "/api/reply", `{"id":"e1","args":[]}`).wantProblem(409, "answered", "first")
	if !reflect.DeepEqual(said, answers{"e1": `["ok",{"n":1}]`, "e2": "sold out"}) {
		t.Errorf("%v", said)
	}
	for _, body := range []string{`{"id":"e3"}`, `{"id":"e3","args":[],"error":"x"}`, `{"id":"e3","error":""}`} {
		c.do("POST", "/api/reply", body).wantProblem(400, "invalid", "")
	}
	newCluster(t, httpapi.Options{}).do("POST", "/api/reply", `{"id":"e1","args":[]}`).wantProblem(501, "not_supported", "queue")
}
