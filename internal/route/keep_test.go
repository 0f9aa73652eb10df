package route

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/hub"
)

// desks are a router with rules, and with a desk behind each of its targets.
type desks struct {
	*Router
	bus, topic, other, queue, archive *desk
}

func newDesks(t testing.TB, o Options) *desks {
	t.Helper()
	d := &desks{bus: newDesk(), topic: newDesk(), other: newDesk(), queue: newDesk(), archive: newDesk()}
	o.Queues = []string{"q"}
	var err error
	d.Router, err = New(o, Links{
		Publish: d.bus.publish, Node: "n1", Archive: d.archive, Queues: map[string]belfry.Queue{"q": d.queue},
		Topics: map[string]belfry.Queue{"T": d.topic, "U": d.other},
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *desks) publish(t testing.TB, m *belfry.Message) error {
	t.Helper()
	if m.Namespace = "/"; !d.Keeper().Takes(m) {
		return d.bus.publish(t.Context(), m)
	}
	return d.Keeper().Publish(t.Context(), m, hub.Sender{Socket: "s1", User: "ada"})
}

func to(data string, rooms ...belfry.Room) *belfry.Message {
	return &belfry.Message{Target: belfry.Target{Rooms: rooms}, Data: []byte(data)}
}

// kept is what a desk has, each as "id event args key room rooms".
func kept(d *desk) (all []string) {
	for _, e := range d.events {
		text := fmt.Sprintf("%s %s %s key=%s %s", e.ID, e.Name, e.Args, e.Key, e.Room)
		if len(e.Rooms) > 0 {
			text += fmt.Sprint(e.Rooms)
		}
		all = append(all, text)
	}
	return all
}

func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s has\n%q\nwant\n%q", what, got, want)
	}
}

func TestRulesKeepWhatIsPublished(t *testing.T) {
	d := newDesks(t, Options{Messages: []Rule{
		{Rooms: []string{"chat:secret"}, Skip: true},
		{Rooms: []string{"chat:*"}, Events: []string{"typing", "x.*"}, Skip: true},
		{Rooms: []string{"chat:*", "news"}, Topic: "T", Archive: true},
		{Rooms: []string{"truck:*"}, Topic: "T", Key: "{event}/{args.0.truck|none}", Queue: "q"},
	}})
	file := to(`[ "said" , {"_placeholder":true,"num":0}, "<" ]`, "chat:a")
	file.ID, file.Attachments = "1", [][]byte{{1, 2}}
	all := []*belfry.Message{
		file,
		to(`["said"]`, "chat:secret"), to(`["typing"]`, "chat:a"), to(`["x.y",1]`, "chat:a"), to(`["said"]`, "other"),
		to(`["said"]`), to(`["said"]`, hub.UserRoom("ada")),
		to(`["said",1]`, "other", "news", "chat:secret", "chat:b"),
		to(`["at",{"truck":7}]`, "truck:7", "chat:c"),
	}
	all[7].ID, all[8].ID = "2", "3"
	for _, m := range all {
		if err := d.publish(t, m); err != nil {
			t.Error(err)
		}
	}
	same(t, "the topic", kept(d.topic),
		`1> said [ {"$binary":"AQI="}, "<" ] key=chat:a chat:a`, `2> said [1] key=news news[news chat:b]`, `3> at [{"truck":7}] key=at/7 truck:7[truck:7 chat:c]`)
	same(t, "the archive", kept(d.archive),
		`1> said [ {"$binary":"AQI="}, "<" ] key= chat:a`, `2> said [1] key= news[news chat:b]`, `3> at [{"truck":7}] key= chat:c`)
	same(t, "the queue", kept(d.queue), `3> at [{"truck":7}] key=at/7 truck:7`)
	if len(d.bus.messages) != len(all) {
		t.Errorf("%d messages are published, want %d", len(d.bus.messages), len(all))
	}
	e := d.topic.events[0]
	if e.User != "ada" || e.Socket != "s1" || e.Node != "n1" || e.Offset != "7" || e.Namespace != "/" || e.Time.IsZero() {
		t.Errorf("%+v", e)
	}
}

// TestEphemeralMessagesAreNotKept: nor are questions.
func TestEphemeralMessagesAreNotKept(t *testing.T) {
	d := newDesks(t, Options{Messages: []Rule{{Rooms: []string{"*"}, Topic: "T"}}})
	for _, change := range []func(*belfry.Message){
		func(m *belfry.Message) { m.Volatile = true }, func(m *belfry.Message) { m.Unlogged = true },
		func(m *belfry.Message) { m.Request = 1 }, func(m *belfry.Message) { m.To = "n2" },
		func(m *belfry.Message) { m.Kind = belfry.Join }, func(m *belfry.Message) { m.Target.Rooms = []belfry.Room{hub.UserRoom("ada")} },
	} {
		m := to(`["said"]`, "room")
		if change(m); d.Keeper().Takes(m) {
			t.Errorf("it takes %+v", m)
		}
		if err := d.Keeper().Publish(t.Context(), m, hub.Sender{}); err != nil {
			t.Error(err)
		}
	}
	same(t, "the topic", kept(d.topic))
	if newRouter(t, newDesk()).Keeper() != nil {
		t.Error("without rules there is a keeper")
	}
}

// TestRulesDoWhatWasNotDone, and that alone.
func TestRulesDoWhatWasNotDone(t *testing.T) {
	d := newDesks(t, Options{Messages: []Rule{{Rooms: []string{"room"}, Topic: "T", Archive: true}}})
	say := func() error {
		m := to(`["said"]`, "room")
		m.ID = "1"
		return d.publish(t, m)
	}
	d.bus.busErr = belfry.ErrUnavailable
	if err := say(); !errors.Is(err, belfry.ErrUnavailable) || len(d.topic.events) > 0 {
		t.Errorf("without the bus: %v, %d records", err, len(d.topic.events))
	}
	d.bus.busErr, d.topic.appendErr = nil, belfry.ErrUnavailable
	if err := say(); codeOf(err) != InDoubt || !strings.Contains(err.Error(), "it is published") || len(d.archive.events) > 0 {
		t.Errorf("without the topic: %v", err)
	}
	d.topic.appendErr, d.archive.appendErr = nil, belfry.ErrInDoubt
	if err := say(); codeOf(err) != InDoubt {
		t.Errorf("without the archive: %v", err)
	}
	d.archive.appendErr = nil
	for range 2 {
		if err := say(); !errors.Is(err, belfry.ErrDuplicate) {
			t.Errorf("a repetition: %v", err)
		}
	}
	same(t, "the topic", kept(d.topic), "1> said [] key=room room")
	same(t, "the archive", kept(d.archive), "1> said [] key= room")
	if len(d.bus.messages) != 1 {
		t.Errorf("it is published %d times", len(d.bus.messages))
	}
}

// TestWhatAKeyNeedsIsThere, or nothing is published.
func TestWhatAKeyNeedsIsThere(t *testing.T) {
	d := newDesks(t, Options{Messages: []Rule{{Rooms: []string{"room"}, Topic: "T", Key: "{args.0.truck}"}}})
	for _, data := range []string{`["at"]`, `["at",{"truck":null}]`, `["at",{"truck":"` + strings.Repeat("x", 201) + `"}]`} {
		if err := d.publish(t, to(data, "room")); codeOf(err) != Invalid {
			t.Errorf("%.40s: %v", data, err)
		}
	}
	if len(d.bus.messages) > 0 {
		t.Error("it is published")
	}
}

// TestAPublisherThatGoesAwayChangesNothing: what is published is kept.
func TestAPublisherThatGoesAwayChangesNothing(t *testing.T) {
	d := newDesks(t, Options{Messages: []Rule{{Rooms: []string{"room"}, Topic: "T"}}})
	gone, cancel := context.WithCancel(t.Context())
	d.links.Publish = func(ctx context.Context, m *belfry.Message) error {
		cancel()
		return d.bus.publish(ctx, m)
	}
	d.topic.wants = func(ctx context.Context) error { return ctx.Err() }
	if err := d.Keeper().Publish(gone, to(`["said"]`, "room"), hub.Sender{}); err != nil || len(d.topic.events) != 1 {
		t.Errorf("%d records, %v", len(d.topic.events), err)
	}
}

// TestARouteWins: what it brings to a target itself the rule does not.
func TestARouteWins(t *testing.T) {
	d := newDesks(t, Options{
		Routes: []Route{
			{Event: "one", Topic: "T", Archive: true, ID: "1", Require: []string{RequireNothing}, Emit: Emit{Rooms: []string{"a", "b"}}},
			{Event: "two", Topic: "U", Queue: "q", ID: "1", Require: []string{RequireNothing}, Emit: Emit{Rooms: []string{"a"}}},
		},
		Messages: []Rule{{Rooms: []string{"*"}, Topic: "T", Archive: true, Queue: "q"}},
	})
	for _, name := range []string{"one", "two"} {
		if _, err := d.Route(t.Context(), event(name, `[1]`)); err != nil {
			t.Error(err)
		}
	}
	same(t, "the topic", kept(d.topic), "ada:one:1 one [1] key= a", "ada:two:1>1 two [1] key=a a")
	same(t, "the other topic", kept(d.other), "ada:two:1 two [1] key= a")
	same(t, "the queue", kept(d.queue), "ada:one:1>0 one [1] key=a a[a b]", "ada:two:1 two [1] key= a")
	same(t, "the archive", kept(d.archive), "ada:one:1>0 one [1] key= b", "ada:one:1 one [1] key= a", "ada:two:1>1 two [1] key= a")
}

// TestABackendMayReuseTheIdOfAnEvent for what comes of it: both are kept.
func TestABackendMayReuseTheIdOfAnEvent(t *testing.T) {
	d := newDesks(t, Options{
		Routes:   []Route{{Event: "ask", ID: "1", Archive: true, Require: []string{RequireNothing}, Emit: Emit{Rooms: []string{"room"}}}},
		Messages: []Rule{{Rooms: []string{"room"}, Archive: true}},
	})
	if _, err := d.Route(t.Context(), event("ask", `[]`)); err != nil {
		t.Fatal(err)
	}
	answer := to(`["answer"]`, "room")
	answer.ID = d.archive.events[0].ID
	if err := d.publish(t, answer); err != nil {
		t.Fatal(err)
	}
	same(t, "the archive", kept(d.archive), "ada:ask:1 ask [] key= room", "ada:ask:1> answer [] key= room")
}

func TestTheFirstRuleOfARoomCounts(t *testing.T) {
	d := newDesks(t, Options{Messages: []Rule{
		{Rooms: []string{"b", "a*c"}, Topic: "T", Events: []string{"e"}},
		{Rooms: []string{"a1c", "b"}, Topic: "U"},
		{Rooms: []string{"*"}, Queue: "q"},
	}})
	for _, m := range []*belfry.Message{to(`["e",1]`, "a1c"), to(`["f",2]`, "a1c"), to(`["e",3]`, "b"), to(`["f",4]`, "b"), to(`["f",5]`, "a2c")} {
		m.ID = string(m.Data[5])
		if err := d.publish(t, m); err != nil {
			t.Error(err)
		}
	}
	same(t, "the topic", kept(d.topic), "1> e [1] key=a1c a1c", "3> e [3] key=b b")
	same(t, "the other topic", kept(d.other), "2> f [2] key=a1c a1c", "4> f [4] key=b b")
	same(t, "the queue", kept(d.queue), "5> f [5] key=a2c a2c")
}

// TestRulesKeepWhatSourcesBring: each record once, with its own time. What came out of a
// topic does not go into it again.
func TestRulesKeepWhatSourcesBring(t *testing.T) {
	d := newDesks(t, Options{
		Sources:  []Source{{Name: "s", Topic: "T", Emit: Emit{Rooms: []string{"{payload.room}"}, As: "m", Args: []string{"{payload.n}"}}}},
		Messages: []Rule{{Rooms: []string{"a"}, Topic: "T", Archive: true}, {Rooms: []string{"b"}, Topic: "U", Key: "{args.0}"}},
	})
	handle, err := d.HandleBatch("s")
	if err != nil {
		t.Fatal(err)
	}
	var records []*belfry.Record
	for i, value := range []string{`{"room":"a","n":1}`, `{"room":"b"}`, `{"room":"b","n":{}}`, `{"room":"a","n":2}`, `{"room":"b","n":3}`, `{"room":"c","n":4}`} {
		records = append(records, &belfry.Record{ID: fmt.Sprint(i), Value: []byte(value), Time: time.UnixMilli(int64(1000 + i))})
	}
	d.archive.wants = func(context.Context) error {
		if len(d.archive.events) == 1 {
			return belfry.ErrUnavailable
		}
		return nil
	}
	n, poison, err := belfry.BatchVerdict(handle(t.Context(), records), len(records))
	if n != 3 || len(poison) != 2 || codeOf(err) != InDoubt {
		t.Errorf("%d are done with, poison %v, %v", n, poison, err)
	}
	d.archive.wants = nil
	if n, poison, err = belfry.BatchVerdict(handle(t.Context(), records[3:]), 3); n != 3 || len(poison) != 0 || err != nil {
		t.Errorf("again: %d are done with, poison %v, %v", n, poison, err)
	}
	same(t, "the topic", kept(d.topic))
	same(t, "the other topic", kept(d.other), "s:4>0 m [3] key=3 b")
	same(t, "the archive", kept(d.archive), "s:0>0 m [1] key= a", "s:3>0 m [2] key= a")
	if at := d.archive.events[1].Time.UnixMilli(); at != 1003 {
		t.Errorf("the time is %d", at)
	}
}

func TestArgsOf(t *testing.T) {
	for data, want := range map[string]string{
		`["e"]`: `[]`, ` [ "e" ] `: `[]`, `["e",1]`: `[1]`, `["a\"]",[1], "]" ]`: `[[1], "]" ]`, `[17 , {"a":1}]`: `[ {"a":1}]`, ``: `[]`, `[`: `[]`,
	} {
		if got := argsOf([]byte(data)); string(got) != want {
			t.Errorf("%s: %s, want %s", data, got, want)
		}
	}
}

func TestFaultsOfRulesAreNamed(t *testing.T) {
	with := func(change func(*Rule)) Options {
		r := Rule{Rooms: []string{"a*"}, Topic: "T"}
		change(&r)
		return Options{Messages: []Rule{{Rooms: []string{"first*"}, Events: []string{"e"}, Topic: "T"}, {Rooms: []string{"second*"}, Topic: "T"}, r}}
	}
	for want, o := range map[string]Options{
		"Messages[2].Rooms is empty":                                               with(func(r *Rule) { r.Rooms = nil }),
		`Messages[2].Rooms[1] is "": the room has no name`:                         with(func(r *Rule) { r.Rooms = []string{"x", ""} }),
		"Messages[2].Rooms[0] is \"\\x00x\": the name of the room":                 with(func(r *Rule) { r.Rooms = []string{"\x00x"} }),
		`Messages[2].Rooms[0] is "second1": an earlier rule, for "second*", takes`: with(func(r *Rule) { r.Rooms = []string{"second1"} }),
		`Messages[2].Events[0] is "": must have 1 to`:                              with(func(r *Rule) { r.Events = []string{""} }),
		"Messages[2] goes nowhere: give a topic":                                   with(func(r *Rule) { r.Topic = "" }),
		"Messages[2].Skip is true: must be false with":                             with(func(r *Rule) { r.Skip = true }),
		`Messages[2].Key is "x": only a topic and a queue have keys`:               with(func(r *Rule) { r.Topic, r.Archive, r.Key = "", true, "x" }),
		`Messages[2].Key is "{payload}": column 1: there is no field`:              with(func(r *Rule) { r.Key = "{payload}" }),
		`Messages[2].Queue is "x": there is no queue of that name`:                 with(func(r *Rule) { r.Queue = "x" }),
	} {
		err := o.Validate()
		if err == nil || !strings.Contains(err.Error(), "route: Options."+want) {
			t.Errorf("error is %v, want %q", err, want)
		}
	}
	if err := with(func(r *Rule) { r.Rooms = []string{"first1"} }).Validate(); err != nil {
		t.Error(err)
	}
}
