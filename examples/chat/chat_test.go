package chat_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/examples/chat"
)

func TestMessageReachesBothNodes(t *testing.T) {
	nodes := cluster(t, 2, chat.Options{})
	ada, grace := join(t, nodes[0], "  Ada \t Lovelace "), join(t, nodes[1], "Grace")
	before := time.Now().UnixMilli()
	if answer := ada.ask("event:message", map[string]string{"text": " hello \n"}); strings.Contains(answer, "error") {
		t.Fatalf("say is answered with %s", answer)
	}
	for _, c := range []*client{ada, grace} {
		got := c.nextMessage()
		want := chat.Person{ID: ada.ID, Name: "Ada Lovelace"}
		if got.From != want || got.Text != "hello" {
			t.Errorf("got %+v, want hello from %+v", got, want)
		}
		if got.Time < before || got.Time > time.Now().UnixMilli() {
			t.Errorf("time is %d, want one since %d", got.Time, before)
		}
	}
}

func TestPeopleOfAllNodes(t *testing.T) {
	nodes := cluster(t, 2, chat.Options{Grace: never})
	grace, ada := join(t, nodes[1], "Grace"), join(t, nodes[0], "ada")
	want := []chat.Person{{ID: ada.ID, Name: "ada", Node: "node-1"}, {ID: grace.ID, Name: "Grace", Node: "node-2"}}
	for _, c := range []*client{ada, grace} {
		got := c.waitPeople(func(list []chat.Person) bool { return len(list) == 2 })
		if !slices.Equal(got, want) {
			t.Errorf("people are %+v, want %+v", got, want)
		}
	}
	ada.Leave()
	grace.waitNames("Grace") // at once: the grace is for those who may come back
}

// TestPeopleAreRightInTheEnd has many come and go at once, on both nodes.
func TestPeopleAreRightInTheEnd(t *testing.T) {
	nodes := cluster(t, 2, chat.Options{Grace: never})
	const pairs = 10
	watchers := []*client{join(t, nodes[0], "watcher 0"), join(t, nodes[1], "watcher 1")}
	want := []belfry.SocketID{watchers[0].ID, watchers[1].ID}
	for i := range pairs {
		stays, leaves := connect(t, nodes[i%2]), connect(t, nodes[(i+1)%2])
		stays.Write(`42["join",{"name":"stays"}]`)
		leaves.Write(`42["join",{"name":"leaves"}]`)
		leaves.Leave()
		want = append(want, stays.ID)
	}
	slices.Sort(want)
	for _, c := range watchers {
		c.waitPeople(func(list []chat.Person) bool {
			got := ids(list)
			slices.Sort(got)
			return slices.Equal(got, want)
		})
	}
}

func TestLostConnectionLeavesAfterGrace(t *testing.T) {
	nodes := cluster(t, 2, chat.Options{Grace: 50 * time.Millisecond})
	ada, grace := join(t, nodes[0], "Ada"), join(t, nodes[1], "Grace")
	grace.waitNames("Ada", "Grace")
	lost := time.Now()
	ada.Lose()
	grace.waitNames("Grace")
	if d := time.Since(lost); d < 50*time.Millisecond {
		t.Errorf("left after %v, before the grace was over", d)
	}
}

func TestRecoveredOnOtherNode(t *testing.T) {
	nodes := cluster(t, 2, chat.Options{Grace: never})
	ada, grace := join(t, nodes[0], "Ada"), join(t, nodes[1], "Grace")
	grace.waitNames("Ada", "Grace")
	seen := len(grace.lists())
	grace.ask("event:message", map[string]string{"text": "before"})
	ada.nextMessage()

	ada.Lose()
	grace.waitPeople(func([]chat.Person) bool { return len(grace.lists()) > seen }) // the loss is known
	grace.ask("event:message", map[string]string{"text": "meanwhile"})
	back := ada.resume(nodes[1])

	if back.ID != ada.ID {
		t.Fatalf("came back as %s, was %s: not recovered", back.ID, ada.ID)
	}
	if got := back.nextMessage().Text; got != "meanwhile" {
		t.Errorf("the first message is %q, want the one that was missed", got)
	}
	both := []chat.Person{{ID: ada.ID, Name: "Ada", Node: "node-2"}, {ID: grace.ID, Name: "Grace", Node: "node-2"}}
	for _, c := range []*client{back, grace} {
		c.waitPeople(func(list []chat.Person) bool { return slices.Equal(list, both) })
	}
	for _, list := range grace.lists()[seen:] {
		if !slices.Equal(names(list), []string{"Ada", "Grace"}) {
			t.Errorf("a list is %v while Ada was away for less than the grace", names(list))
		}
	}
	if answer := back.ask("event:message", map[string]string{"text": "I am back"}); strings.Contains(answer, "error") {
		t.Errorf("say without another join is answered with %s", answer)
	}
}

func TestTypingIsForOthers(t *testing.T) {
	nodes := cluster(t, 2, chat.Options{})
	ada, grace := join(t, nodes[0], "Ada"), join(t, nodes[1], "Grace")
	ada.Write(`42["typing"]`)
	var who chat.Person
	grace.Decode(grace.Next("typing").Args[0], &who)
	if want := (chat.Person{ID: ada.ID, Name: "Ada"}); who != want {
		t.Errorf("%+v is typing, want %+v", who, want)
	}
	ada.ask("event:message", map[string]string{"text": "done"})
	ada.nextMessage()
	if ada.heard("typing") {
		t.Error("Ada was told that she types")
	}
}

func TestRefusals(t *testing.T) {
	url := cluster(t, 1, chat.Options{})[0]
	for _, test := range []struct {
		name        string
		event, arg  string
		joined      bool
		want        string
		wantMessage bool
	}{
		{name: "no name", event: "join", arg: `{"name":" \t"}`, want: "the name is empty"},
		{name: "name too long", event: "join", arg: `{"name":"` + strings.Repeat("é", 33) + `"}`, want: "the name has 33 characters: at most 32 are allowed"},
		{name: "longest name", event: "join", arg: `{"name":"` + strings.Repeat("é", 32) + `"}`},
		{name: "name is a number", event: "join", arg: `{"name":1}`, want: "argument 1: "},
		{name: "history before join", event: "history", arg: `{}`, want: "join first"},
		{name: "room of spaces", event: "join", arg: `{"name":"a","room":"x y"}`, want: "the room must have 1 to 32 letters a to z, digits and hyphens"},
		{name: "history without a position", event: "history", arg: `{"before":"x"}`, joined: true, want: "not a position in the history"},
		{name: "message is a number", event: "event:message", arg: `1`, joined: true, want: "argument 1: "},
		{name: "id without time", event: "event:message", arg: `{"text":"x","id":"abcdefghijklm-12345678"}`, joined: true, want: "the id must begin with the time in ms"},
		{name: "id that can be guessed", event: "event:message", arg: `{"text":"x","id":"1700000000000-1"}`, joined: true, want: "the id must be the time in ms, a hyphen, and 8 to 40 letters and digits"},
		{name: "id of last year", event: "event:message", arg: `{"text":"x","id":"1700000000000-12345678"}`, joined: true, want: "the id is "},
		{name: "id of next year", event: "event:message", arg: `{"text":"x","id":"9700000000000-12345678"}`, joined: true, want: "the id is of the future"},
		{name: "typing before join", event: "typing", arg: `null`, want: "join first"},
		{name: "no text", event: "event:message", arg: `{"text":"\n"}`, joined: true, want: "the message is empty"},
		{name: "no argument", event: "event:message", arg: `null`, joined: true, want: "the message is empty"},
		{name: "text too long", event: "event:message", arg: `{"text":"` + strings.Repeat("x", 2001) + `"}`, joined: true, want: "the message has 2001 characters: at most 2000 are allowed"},
		{name: "longest text", event: "event:message", arg: `{"text":"` + strings.Repeat("😀", 2000) + `"}`, joined: true, wantMessage: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := connect(t, url)
			if test.joined {
				c.ask("join", map[string]string{"name": "Ada"})
			}
			got := c.Refusal(c.Ask(test.event, json.RawMessage(test.arg)))
			if got != test.want && (test.want == "" || !strings.HasPrefix(got, test.want)) {
				t.Errorf("answered with %q, want %q", got, test.want)
			}
			if said := c.heard("message"); said != test.wantMessage {
				t.Errorf("a message went out: %v, want %v", said, test.wantMessage)
			}
		})
	}
}
