package meet_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seed-09a96375/belfry/examples/meet"
)

func TestFullRoom(t *testing.T) { onEachBus(t, fullRoom) }

func fullRoom(t *testing.T, cluster clusterFunc) {
	nodes := cluster(t, 2, never, meet.Options{MaxUsers: 3})
	const people = 8
	clients := make([]*client, people)
	for i := range clients {
		clients[i] = connect(t, nodes[i%2])
		clients[i].Send("join-room", "r", fmt.Sprint("user-", i))
	}
	in := 0
	for _, c := range clients {
		switch problem := c.answer(); {
		case problem == "":
			in++
		case !strings.HasPrefix(problem, "the room is full: "):
			t.Errorf("join-room is answered with %q", problem)
		}
	}
	if in > 3 {
		t.Errorf("%d people are in a room for 3", in)
	}
	for i := range 4 { // those who came at the same moment may all have been refused
		problem := connect(t, nodes[i%2]).ask("join-room", "r", fmt.Sprint("late-", i))
		if full := problem == "the room is full: 3 people are in it"; full != (in == 3) || !full && problem != "" {
			t.Errorf("with %d in the room the next is answered with %q", in, problem)
		}
		in = min(in+1, 3)
	}
}

func TestFullServer(t *testing.T) {
	nodes := cluster(t, 2, never, meet.Options{MaxRooms: 2})
	first := join(t, nodes[0], "a", "u")
	join(t, nodes[0], "b", "u")
	next := connect(t, nodes[0])
	if problem := next.ask("join-room", "c", "u"); problem != "the server has 2 rooms, as many as it takes" {
		t.Errorf("one room too many is answered with %q", problem)
	}
	next.must("join-room", "b", "v")
	first.must("join-room", "b", "w")
	for next.ask("join-room", "c", "v") != "" {
		// the room that is empty is forgotten at once, but not before the ack
	}
}

func TestRefusals(t *testing.T) {
	url := cluster(t, 1, never, meet.Options{})[0]
	sdp := func(n int) map[string]any {
		return map[string]any{"to": "u", "offer": map[string]string{"type": "offer", "sdp": strings.Repeat("x", n)}}
	}
	for _, test := range []struct {
		name   string
		joined bool
		event  string
		args   []any
		want   string // how the error begins; "" for none
	}{
		{"no room", false, "join-room", []any{"", "u"}, `"" is no room: `},
		{"no arguments", false, "join-room", nil, `"" is no room: `},
		{"a room that is a path", false, "join-room", []any{"..", "u"}, `".." is no room: `},
		{"a room with a slash", false, "join-room", []any{"a/b", "u"}, `"a/b" is no room: `},
		{"a room in any script", false, "join-room", []any{"комната_हिन्दी-1.2", "u"}, ""},
		{"the longest room", false, "join-room", []any{strings.Repeat("é", 64), "u"}, ""},
		{"a longer room", false, "join-room", []any{strings.Repeat("é", 65), "u"}, "the room's name has 65 characters: at most 64 are allowed"},
		{"a room that is a number", false, "join-room", []any{1, "u"}, "argument 1: "},
		{"no user", false, "join-room", []any{"r", " \t"}, "the user is empty"},
		{"the longest user", false, "join-room", []any{"r", strings.Repeat("😀", 64)}, ""},
		{"a longer user", false, "join-room", []any{"r", strings.Repeat("x", 65)}, "the user has 65 characters: at most 64 are allowed"},
		{"a user of two lines", false, "join-room", []any{"r", "a\nb"}, "the user \"a\\nb\" has characters that cannot be shown"},
		{"leave before join", false, "leave-room", []any{"r", "u"}, "you are not in that room"},
		{"share before join", false, "start-sharing", []any{"r", "u"}, "you are not in that room"},
		{"signal before join", false, "answer", []any{map[string]any{"to": "u", "answer": map[string]string{"type": "answer", "sdp": "x"}}}, "join a room first"},
		{"stop what is not shared", true, "stop-sharing", []any{"r", "u"}, "you are not sharing"},
		{"share in another room", true, "start-sharing", []any{"other", "u"}, "you are not in that room"},
		{"signal to nobody", true, "ice-candidate", []any{map[string]any{"candidate": map[string]string{"candidate": ""}}}, "ice-candidate: to is missing"},
		{"signal to one who is not there", true, "ice-candidate", []any{map[string]any{"to": "x", "candidate": map[string]string{"candidate": ""}}}, `"x" is not in the room`},
		{"an offer without a description", true, "offer", []any{map[string]any{"to": "u"}}, "offer: offer is missing, malformed or too large"},
		{"an answer for an offer", true, "offer", []any{map[string]any{"to": "u", "offer": map[string]string{"type": "answer", "sdp": "x"}}}, "offer: offer is missing, malformed or too large"},
		{"an offer that is too large", true, "offer", []any{sdp(70_000)}, "offer: offer is missing, malformed or too large"},
		{"an offer of one who does not share", true, "offer", []any{sdp(10)}, "you are not sharing"},
		{"a candidate that is a number", true, "ice-candidate", []any{map[string]any{"to": "u", "candidate": 1}}, "ice-candidate: candidate is missing, malformed or too large"},
		{"a signal that is a list", true, "answer", []any{[]int{1}}, "argument 1: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := connect(t, url)
			if test.joined {
				c.must("join-room", "r", "u")
			}
			if got := c.ask(test.event, test.args...); !strings.HasPrefix(got, test.want) || (test.want == "") != (got == "") {
				t.Errorf("answered with %q, want %q", got, test.want)
			}
			if test.joined {
				c.must("leave-room", "r", "u")
			}
		})
	}
}
