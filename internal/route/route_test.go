package route

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/auth"
)

// desk is a queue and a cluster that note what they get.
type desk struct {
	mu        sync.Mutex
	events    []*belfry.Event
	messages  []*belfry.Message
	seen      map[string]bool
	appendErr error
	wants     func(context.Context) error // nil: nothing
	busErr    error
	answers   map[string]*belfry.Answer
	answered  chan struct{}
}

func newDesk() *desk {
	return &desk{seen: make(map[string]bool), answers: make(map[string]*belfry.Answer), answered: make(chan struct{})}
}

func (d *desk) Append(ctx context.Context, e *belfry.Event) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.wants != nil {
		if err := d.wants(ctx); err != nil {
			return err
		}
	}
	if d.appendErr != nil {
		return d.appendErr
	}
	if d.seen[e.ID] {
		return belfry.ErrDuplicate
	}
	d.seen[e.ID] = true
	d.events = append(d.events, e)
	return nil
}

func (d *desk) publish(_ context.Context, m *belfry.Message) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.busErr != nil {
		return d.busErr
	}
	m.Offset = "7"
	if m.ID != "" && d.seen[m.ID] {
		return belfry.ErrDuplicate
	}
	d.seen[m.ID] = true
	d.messages = append(d.messages, m)
	return nil
}

func (d *desk) Answer(_ context.Context, id string, a *belfry.Answer) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answers[id] = a
	close(d.answered)
	d.answered = make(chan struct{})
	return nil
}

func (d *desk) Await(ctx context.Context, id string) (*belfry.Answer, error) {
	for {
		d.mu.Lock()
		a, changed := d.answers[id], d.answered
		d.mu.Unlock()
		if a != nil {
			return a, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func newRouter(t testing.TB, d *desk, routes ...Route) *Router {
	t.Helper()
	r, err := New(Options{Routes: routes, Queues: []string{"q"}, Webhooks: []string{"w"}}, Links{
		Publish: d.publish, Node: "n1",
		Queues: map[string]belfry.Queue{"q": d}, Webhooks: map[string]belfry.Queue{"w": d},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func event(name, args string) *Incoming {
	return &Incoming{Namespace: "/", Event: name, Args: json.RawMessage(args), Socket: "s1", User: "ada"}
}

func codeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func TestAnEventGoesToItsQueue(t *testing.T) {
	d := newDesk()
	r := newRouter(t, d, Route{Event: "order.*", Queue: "q", Key: "{user}", ID: "{args.0.id|}"})
	in := event("order.new", `[{"id":17,"file":{"_placeholder":true,"num":0}}]`)
	in.Attachments = [][]byte{{1, 2}}
	for range 2 { // the second is a repetition
		if res, err := r.Route(t.Context(), in); err != nil || res.Waits() {
			t.Fatal(res, err)
		}
	}
	if len(d.events) != 1 {
		t.Fatalf("%d events", len(d.events))
	}
	e := d.events[0]
	e.Time = time.Time{}
	want := belfry.Event{
		ID: "ada:order.new:17", Namespace: "/", Name: "order.new", Args: json.RawMessage(`[{"id":17,"file":{"$binary":"AQI="}}]`),
		Socket: "s1", User: "ada", Key: "ada", Node: "n1",
	}
	if fmt.Sprintf("%+v", *e) != fmt.Sprintf("%+v", want) {
		t.Errorf("event is\n%+v, want\n%+v", *e, want)
	}
}

func TestEventsWithoutAnIDAreNoRepetitions(t *testing.T) {
	d := newDesk()
	r := newRouter(t, d, Route{Event: "e", Queue: "q", ID: "{args.0.id|}"})
	for range 3 {
		if _, err := r.Route(t.Context(), event("e", `[]`)); err != nil {
			t.Fatal(err)
		}
	}
	if len(d.events) != 3 {
		t.Errorf("%d events, want 3", len(d.events))
	}
}

func TestTheFirstRouteThatFitsCounts(t *testing.T) {
	d := newDesk()
	r := newRouter(t, d,
		Route{Event: "a", Queue: "q", Emit: Emit{As: "first"}},
		Route{Event: "*", Queue: "q", Emit: Emit{As: "second"}},
		Route{Event: "a", Namespace: "/n", Queue: "q", Emit: Emit{As: "third"}},
	)
	for _, in := range []*Incoming{event("a", ""), event("b", ""), {Namespace: "/n", Event: "a"}} {
		if _, err := r.Route(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	var names []string
	for _, e := range d.events {
		names = append(names, e.Name)
	}
	if strings.Join(names, " ") != "first second third" {
		t.Errorf("names are %v", names)
	}
	if _, err := r.Route(t.Context(), &Incoming{Namespace: "/n", Event: "b"}); codeOf(err) != NoRoute {
		t.Errorf("error is %v", err)
	}
	if r.Takes("/n", "b") || !r.Takes("/", "b") {
		t.Error("Takes is wrong")
	}
}

func TestAnEventGoesToRooms(t *testing.T) {
	d := newDesk()
	r := newRouter(t, d, Route{
		Event: "say", ExceptSender: true, Require: []string{RequireUser},
		Emit: Emit{Rooms: []string{"chat:{args.0.room}", "log"}, Users: []string{"{args.0.to}"}, As: "said", Args: []string{"{args.0.text}", "by {user}", "{args.0.n}"}},
	})
	if _, err := r.Route(t.Context(), event("say", `[{"room":"x","text":"hi","n":1.50,"to":["bo","cy"]}]`)); err != nil {
		t.Fatal(err)
	}
	m := d.messages[0]
	if string(m.Data) != `["said","hi","by ada",1.50]` || m.Namespace != "/" || m.ID == "" {
		t.Errorf("message is %s in %s, id %q", m.Data, m.Namespace, m.ID)
	}
	if got := fmt.Sprintf("%q except %q", m.Target.Rooms, m.Target.Except); got != `["chat:x" "log" "\x00user:bo" "\x00user:cy"] except ["s1"]` {
		t.Error(got)
	}
}

func TestArgumentsAndAttachmentsPassThrough(t *testing.T) {
	d := newDesk()
	r := newRouter(t, d, Route{Event: "e", Require: []string{RequireNothing}, Emit: Emit{Rooms: []string{"x"}}})
	in := event("e", ` [ {"_placeholder":true,"num":0} ] `)
	in.Attachments = [][]byte{{7}}
	for _, in := range []*Incoming{in, event("e", ""), event("e", " [ ] ")} {
		if _, err := r.Route(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	if m := d.messages[0]; string(m.Data) != `["e",{"_placeholder":true,"num":0} ]` || len(m.Attachments) != 1 {
		t.Errorf("message is %s with %v", m.Data, m.Attachments)
	}
	if a, b := string(d.messages[1].Data), string(d.messages[2].Data); a != `["e"]` || b != `["e"]` {
		t.Errorf("messages are %s and %s", a, b)
	}
}

func TestWhoMaySend(t *testing.T) {
	granted := func(_ auth.Action, room belfry.Room) error {
		if room == "mine" {
			return nil
		}
		return errors.New("no")
	}
	room := Emit{Rooms: []string{"{args.0}"}}
	for name, test := range map[string]struct {
		route Route
		in    Incoming
		want  Code
	}{
		"granted":            {Route{Emit: room}, Incoming{Args: []byte(`["mine"]`), May: granted}, ""},
		"another room":       {Route{Emit: room}, Incoming{Args: []byte(`["yours"]`), May: granted}, Forbidden},
		"one of two":         {Route{Emit: room}, Incoming{Args: []byte(`[["mine","yours"]]`), May: granted}, Forbidden},
		"nobody knows":       {Route{Emit: room}, Incoming{Args: []byte(`["mine"]`)}, Forbidden},
		"nothing required":   {Route{Emit: room, Require: []string{RequireNothing}}, Incoming{Args: []byte(`["yours"]`)}, ""},
		"no user":            {Route{Queue: "q", Require: []string{RequireUser}}, Incoming{}, Forbidden},
		"a user":             {Route{Queue: "q", Require: []string{RequireUser}}, Incoming{User: "ada"}, ""},
		"a user, no grant":   {Route{Emit: room, Require: []string{RequireUser, RequirePublish}}, Incoming{User: "ada", Args: []byte(`["yours"]`), May: granted}, Forbidden},
		"room of Belfry":     {Route{Emit: room, Require: []string{RequireNothing}}, Incoming{Args: []byte(`["\u0000user:bo"]`)}, Invalid},
		"no name":            {Route{Emit: room, Require: []string{RequireNothing}}, Incoming{Args: []byte(`[""]`)}, Invalid},
		"no rooms":           {Route{Emit: room, Require: []string{RequireNothing}}, Incoming{Args: []byte(`[[]]`)}, Invalid},
		"field is missing":   {Route{Emit: room, Require: []string{RequireNothing}}, Incoming{Args: []byte(`[]`)}, Invalid},
		"arguments no array": {Route{Queue: "q"}, Incoming{Args: []byte(`{}`)}, Invalid},
		"queue, anybody":     {Route{Queue: "q"}, Incoming{}, ""},
		"long key":           {Route{Queue: "q", Key: "{args.0}"}, Incoming{Args: []byte(`["` + strings.Repeat("k", 300) + `"]`)}, Invalid},
		"reserved name":      {Route{Queue: "q", Emit: Emit{As: "{args.0}"}}, Incoming{Args: []byte(`["disconnect"]`)}, Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk()
			test.route.Event, test.in.Event, test.in.Namespace = "e", "e", "/"
			_, err := newRouter(t, d, test.route).Route(t.Context(), &test.in)
			if codeOf(err) != test.want {
				t.Errorf("error is %v, want code %q", err, test.want)
			}
			if done := len(d.events)+len(d.messages) > 0; done != (test.want == "") {
				t.Errorf("it was done: %v", done)
			}
		})
	}
}

func TestNothingIsQueuedThatRoomsDidNotGet(t *testing.T) {
	d := newDesk()
	d.busErr = belfry.ErrUnavailable
	r := newRouter(t, d, Route{Event: "e", Queue: "q", Require: []string{RequireNothing}, Emit: Emit{Rooms: []string{"x"}}})
	if _, err := r.Route(t.Context(), event("e", "")); codeOf(err) != Unavailable || len(d.events) > 0 {
		t.Error(err)
	}
}

func TestFailuresReachTheClient(t *testing.T) {
	for err, want := range map[error]Code{
		belfry.ErrUnavailable:    Unavailable,
		belfry.ErrInDoubt:        InDoubt,
		context.DeadlineExceeded: InDoubt,
		errors.New("odd"):        Unavailable,
	} {
		d := newDesk()
		d.appendErr = fmt.Errorf("append: %w", err)
		r := newRouter(t, d, Route{Event: "e", Queue: "q", Require: []string{RequireNothing}, Emit: Emit{Rooms: []string{"x"}}})
		if _, got := r.Route(t.Context(), event("e", "")); codeOf(got) != want || !errors.Is(got, err) {
			t.Errorf("%v became %v, want code %s", err, got, want)
		}
		d.appendErr = nil
		in := event("e", "")
		in.ID = "1"
		if _, err := r.Route(t.Context(), in); err != nil {
			t.Error(err)
		}
	}
}

// TestARepetitionDoesWhatWasNotDone: the rooms have it, the queue was away.
func TestARepetitionDoesWhatWasNotDone(t *testing.T) {
	d := newDesk()
	d.appendErr = belfry.ErrUnavailable
	r := newRouter(t, d, Route{Event: "e", Queue: "q", Require: []string{RequireNothing}, Emit: Emit{Rooms: []string{"x"}}})
	in := event("e", "")
	in.ID = "1"
	if _, err := r.Route(t.Context(), in); codeOf(err) != Unavailable {
		t.Fatal(err)
	}
	d.appendErr = nil
	for range 2 {
		if _, err := r.Route(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	if len(d.events) != 1 || len(d.messages) != 1 {
		t.Errorf("%d events and %d messages, want one each", len(d.events), len(d.messages))
	}
	if e := d.events[0]; e.Room != "x" || e.Offset != "7" {
		t.Errorf("the event is in room %q at %q", e.Room, e.Offset)
	}
	if d.messages[0].ID == d.events[0].ID {
		t.Error("a backend that publishes with the event's id would be a duplicate")
	}
}

func TestTheAckIsTheAnswerOfABackend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		r := newRouter(t, d, Route{Event: "e", Queue: "q", Reply: true, Timeout: time.Minute})
		in := event("e", "")
		in.ID, in.Ack = "1", true
		first, err := r.Route(t.Context(), in)
		if err != nil || !first.Waits() || !d.events[0].Reply {
			t.Fatal(first, err)
		}
		go func() {
			time.Sleep(time.Second)
			_ = d.Answer(context.Background(), first.ID(), &belfry.Answer{Args: []byte(`[{"ok":1}]`)})
		}()
		second, err := r.Route(t.Context(), in) // the client's retry, on whichever node
		if err != nil || !second.Waits() {
			t.Fatal(second, err)
		}
		for _, res := range []Result{first, second} {
			if args, err := res.Await(t.Context()); err != nil || string(args) != `[{"ok":1}]` {
				t.Errorf("answer is %s, %v", args, err)
			}
		}
		in.ID, in.Ack = "2", false
		if res, err := r.Route(t.Context(), in); err != nil || res.Waits() || d.events[1].Reply {
			t.Error("waits for an answer that the client does not want", err)
		}
	})
}

func TestAnswersThatAreNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		r := newRouter(t, d, Route{Event: "e", Webhook: "w", Reply: true})
		for answer, want := range map[*belfry.Answer]Code{
			nil:                  Timeout,
			{Error: "sold out"}:  Rejected,
			{Args: []byte(`{}`)}: Rejected,
			{Args: []byte(`[`)}:  Rejected,
			{}:                   "",
		} {
			in := event("e", "")
			in.Ack = true
			res, err := r.Route(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			if answer != nil {
				_ = d.Answer(t.Context(), res.ID(), answer)
			}
			if args, err := res.Await(t.Context()); codeOf(err) != want || want == "" && string(args) != "[]" {
				t.Errorf("%+v became %s, %v: want code %q", answer, args, err, want)
			}
		}
	})
}
