package meet_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/examples/meet"
	"github.com/seed-09a96375/belfry/socketio"
)

func handler(srv *socketio.Server, m *meet.Meet) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", srv)
	mux.Handle("/api/", m.API())
	mux.Handle("/meet/", http.StripPrefix("/meet", m.Page()))
	return mux
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	r, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

// TestOrder holds the order in which system 002 tells of each change.
func TestOrder(t *testing.T) { onEachBus(t, order) }

func order(t *testing.T, cluster clusterFunc) {
	nodes := cluster(t, 2, never, meet.Options{})
	ada := join(t, nodes[0], "r", "ada")
	lists := []string{"room-users-updated", "room-stats-updated"}
	if got, want := ada.names(0), append([]string{"existing-users"}, lists...); !slices.Equal(got, want) {
		t.Errorf("who comes first hears %v, want %v", got, want)
	}
	grace := join(t, nodes[1], "r", "grace")
	ada.waitUsers("ada", "grace")
	if got, want := grace.names(0), append([]string{"existing-users"}, lists...); !slices.Equal(got, want) {
		t.Errorf("who joins hears %v, want %v", got, want)
	}
	if got := string(grace.heard[0].args[0]); got != `["ada"]` {
		t.Errorf("existing-users are %s, want ada", got)
	}
	for _, step := range []struct {
		event string
		done  func(c *client)
		want  string
	}{
		{"start-sharing", func(c *client) { c.waitSharer("grace") }, "user-started-sharing grace"},
		{"stop-sharing", func(c *client) { c.waitSharer("") }, "user-stopped-sharing grace"},
		{"leave-room", func(c *client) { c.waitUsers("ada") }, "user-left grace"},
	} {
		before := len(ada.heard)
		grace.must(step.event, "r", "grace")
		step.done(ada)
		if got, want := ada.names(before), append([]string{step.want}, lists...); !slices.Equal(got, want) {
			t.Errorf("after %s the other hears %v, want %v", step.event, got, want)
		}
	}
	if i := slices.IndexFunc(grace.names(0), func(s string) bool { return strings.HasPrefix(s, "user-") }); i >= 0 {
		t.Errorf("who acts is told of it: %v", grace.names(0))
	}
}

func TestPayloads(t *testing.T) {
	nodes := cluster(t, 2, never, meet.Options{})
	before := time.Now().Add(-time.Second)
	ada := join(t, nodes[0], "r", "ada")
	grace := join(t, nodes[1], "r", "grace")
	ada.must("start-sharing", "r", "ada")
	stats := grace.waitSharer("ada")
	byUser := make(map[string]meet.User)
	var list []string
	for _, u := range stats.Users {
		byUser[u.ID] = u
		list = append(list, fmt.Sprintf(`{"id":%q,"socketId":%q,"isSharing":%v}`, u.ID, u.SocketID, u.ID == "ada"))
	}
	if stats.UserCount != 2 || byUser["ada"].SocketID != ada.id || byUser["grace"].SocketID != grace.id {
		t.Errorf("stats are %+v", stats)
	}
	if at := byUser["ada"].JoinedAt; at.Before(before) || at.After(time.Now().Add(time.Second)) {
		t.Errorf("ada joined at %v, not now", at)
	}
	got := grace.heard[slices.IndexFunc(grace.heard, func(e event) bool { return e.name == "user-started-sharing" })+1]
	if want := "[" + strings.Join(list, ",") + "]"; got.name != "room-users-updated" || string(got.args[0]) != want {
		t.Errorf("%s is %s, want %s", got.name, got.args[0], want)
	}
	heard := string(grace.heard[len(grace.heard)-1].args[0])
	for _, url := range nodes {
		if status, body := get(t, url+"/api/room/r/stats"); status != http.StatusOK || strings.TrimSpace(body) != heard {
			t.Errorf("stats route says %d %s, want what clients hear: %s", status, body, heard)
		}
		if status, body := get(t, url+"/api/rooms"); status != http.StatusOK || strings.TrimSpace(body) != `[{"roomId":"r",`+heard[1:]+`]` {
			t.Errorf("rooms route says %d %s", status, body)
		}
	}
}

func TestUnknownRoom(t *testing.T) {
	url := cluster(t, 1, never, meet.Options{})[0]
	for path, want := range map[string]string{
		"/api/room/none/stats": `{"userCount":0,"users":[],"sharingUser":null}`,
		"/api/rooms":           `[]`,
	} {
		if status, body := get(t, url+path); status != http.StatusOK || strings.TrimSpace(body) != want {
			t.Errorf("%s is %d %s, want %s", path, status, body, want)
		}
	}
}

func TestRoomEndsWithTheLast(t *testing.T) {
	nodes := cluster(t, 2, never, meet.Options{})
	ada := join(t, nodes[0], "r", "ada")
	ada.must("start-sharing", "r", "ada")
	heard := len(ada.heard)
	ada.must("leave-room", "r", "ada")
	if _, body := get(t, nodes[1]+"/api/rooms"); strings.TrimSpace(body) != "[]" {
		t.Errorf("rooms are %s, want none", body)
	}
	join(t, nodes[1], "r", "grace").must("start-sharing", "r", "grace") // nothing of the old room is left
	ada.must("join-room", "other", "ada")
	for _, e := range ada.names(heard) {
		if strings.HasPrefix(e, "user-left") {
			t.Error("the one who leaves is told of it")
		}
	}
}

// TestSignalsReachAnyNode is weakness 1 of system 002: signals were for people on
// the same node.
func TestSignalsReachAnyNode(t *testing.T) { onEachBus(t, signalsReachAnyNode) }

func signalsReachAnyNode(t *testing.T, cluster clusterFunc) {
	nodes := cluster(t, 3, never, meet.Options{})
	ada, grace := join(t, nodes[0], "r", "ada"), join(t, nodes[1], "r", "grace")
	edsger := join(t, nodes[2], "r", "edsger")
	ada.must("start-sharing", "r", "ada")
	offer := map[string]string{"type": "offer", "sdp": "v=0"}
	ada.must("offer", map[string]any{"to": "grace", "from": "ada", "offer": offer})
	if e := grace.waitFor("offer"); string(e.args[0]) != `{"from":"ada","offer":{"sdp":"v=0","type":"offer"}}` {
		t.Errorf("offer is %s", e.args[0])
	}
	grace.must("answer", map[string]any{"to": "ada", "answer": map[string]string{"type": "answer", "sdp": "v=1"}})
	if e := ada.waitFor("answer"); string(e.args[0]) != `{"answer":{"sdp":"v=1","type":"answer"},"from":"grace"}` {
		t.Errorf("answer is %s", e.args[0])
	}
	for i := range 5 {
		grace.must("ice-candidate", map[string]any{"to": "ada", "candidate": map[string]string{"candidate": fmt.Sprint(i)}})
	}
	for i := range 5 {
		if e := ada.waitFor("ice-candidate"); string(e.args[0]) != fmt.Sprintf(`{"candidate":{"candidate":"%d"},"from":"grace"}`, i) {
			t.Errorf("candidate %d is %s", i, e.args[0])
		}
	}
	edsger.must("leave-room", "r", "edsger") // what was for others would be here by now
	if i := slices.IndexFunc(edsger.heard, func(e event) bool { return e.name == "offer" || e.name == "ice-candidate" }); i >= 0 {
		t.Errorf("a third person got %s %s", edsger.heard[i].name, edsger.heard[i].args)
	}
}

// TestNobodyIsLost is weaknesses 2 and 3: joins at the same time overwrote each
// other.
func TestNobodyIsLost(t *testing.T) { onEachBus(t, nobodyIsLost) }

func nobodyIsLost(t *testing.T, cluster clusterFunc) {
	nodes := cluster(t, 3, never, meet.Options{})
	watcher := join(t, nodes[0], "r", "watcher")
	const people = 24
	var want []string
	for i := range people {
		c, user := connect(t, nodes[i%3], ""), fmt.Sprintf("user-%02d", i)
		c.send("join-room", "r", user)
		if i%4 == 0 {
			c.send("leave-room", "r", user)
		} else {
			want = append(want, user)
		}
	}
	want = append(want, "watcher")
	watcher.waitStats(func(s meet.Stats) bool { return slices.Equal(users(s), want) })
}

// TestNoGhosts is weakness 4: who was gone without a word stayed.
func TestNoGhosts(t *testing.T) { onEachBus(t, noGhosts) }

func noGhosts(t *testing.T, cluster clusterFunc) {
	nodes := cluster(t, 2, 100*time.Millisecond, meet.Options{})
	ada, grace := join(t, nodes[0], "r", "ada"), join(t, nodes[1], "r", "grace")
	grace.must("start-sharing", "r", "grace")
	ada.waitSharer("grace")
	heard := len(ada.heard)
	grace.lose()
	ada.waitUsers("ada")
	if got := ada.names(heard); !slices.Equal(got, []string{"user-left grace", "room-users-updated", "room-stats-updated"}) {
		t.Errorf("ada hears %v", got)
	}
	ada.must("start-sharing", "r", "ada") // the share has ended, too
}

// TestOneRoomAtATime is weakness 5: who joined a second room stayed in the first.
func TestOneRoomAtATime(t *testing.T) { onEachBus(t, oneRoomAtATime) }

func oneRoomAtATime(t *testing.T, cluster clusterFunc) {
	nodes := cluster(t, 2, never, meet.Options{MaxUsers: 2})
	ada, grace := join(t, nodes[0], "first", "ada"), join(t, nodes[1], "first", "grace")
	ada.must("start-sharing", "first", "ada")
	grace.waitSharer("ada")
	ada.must("join-room", "second", "ada")
	grace.waitUsers("grace")
	ada.waitFor("existing-users")
	ada.waitUsers("ada")
	if problem := ada.ask("stop-sharing", "first", "ada"); problem != "you are not in that room" {
		t.Errorf("stop-sharing in the first room is answered with %q", problem)
	}
	if problem := ada.ask("answer", map[string]any{"to": "grace", "answer": map[string]string{"type": "answer", "sdp": "v"}}); problem != `"grace" is not in the room` {
		t.Errorf("a signal to the first room is answered with %q", problem)
	}
	join(t, nodes[1], "second", "edsger")
	if problem := grace.ask("join-room", "second", "grace"); problem != "the room is full: 2 people are in it" {
		t.Errorf("the full room is answered with %q", problem)
	}
	grace.must("start-sharing", "first", "grace") // who is refused stays where they are
}

// TestOneShares is weakness 6: a second one who shared replaced the first, and
// anyone could end it.
func TestOneShares(t *testing.T) { onEachBus(t, oneShares) }

func oneShares(t *testing.T, cluster clusterFunc) {
	nodes := cluster(t, 3, never, meet.Options{})
	const people = 9
	all := make([]*client, people)
	for i := range all {
		all[i] = join(t, nodes[i%3], "r", fmt.Sprint("user-", i))
	}
	for _, c := range all {
		c.send("start-sharing", "r", "")
	}
	var winners []int
	for i, c := range all {
		switch problem := c.answer(); problem {
		case "":
			winners = append(winners, i)
		case "somebody else is sharing":
		default:
			t.Errorf("start-sharing is answered with %q", problem)
		}
	}
	if len(winners) != 1 {
		t.Fatalf("%v share, want one", winners)
	}
	winner, other := all[winners[0]], all[(winners[0]+1)%people]
	other.waitSharer(fmt.Sprint("user-", winners[0]))
	if problem := other.ask("stop-sharing", "r", fmt.Sprint("user-", winners[0])); problem != "you are not sharing" {
		t.Errorf("who does not share stops: %q", problem)
	}
	if problem := other.ask("offer", map[string]any{"to": "user-0", "offer": map[string]string{"type": "offer", "sdp": "v"}}); problem != "you are not sharing" {
		t.Errorf("who does not share makes an offer: %q", problem)
	}
	winner.must("start-sharing", "r", "") // once more is no error
	winner.must("stop-sharing", "r", "")
	other.waitSharer("")
	other.must("start-sharing", "r", "")
}

// TestRecovered is weaknesses 10 and 11: who lost the connection lost the room.
func TestRecovered(t *testing.T) { onEachBus(t, recovered) }

func recovered(t *testing.T, cluster clusterFunc) {
	nodes := cluster(t, 2, never, meet.Options{})
	ada, grace := join(t, nodes[0], "r", "ada"), join(t, nodes[1], "r", "grace")
	grace.must("start-sharing", "r", "grace")
	ada.waitSharer("grace")
	heard := len(ada.heard)
	grace.lose()
	edsger := join(t, nodes[1], "r", "edsger")
	ada.must("ice-candidate", map[string]any{"to": "grace", "candidate": map[string]string{"candidate": "c"}})

	back := grace.resume(nodes[0])
	if back.id != grace.id {
		t.Fatalf("came back as %s, was %s: not recovered", back.id, grace.id)
	}
	back.waitFor("ice-candidate")
	back.next = 0 // the lists may have come before
	if s := back.waitUsers("ada", "grace", "edsger"); s.SharingUser == nil || *s.SharingUser != "grace" {
		t.Errorf("the share is lost: %+v", s)
	}
	back.must("stop-sharing", "r", "grace")
	edsger.waitSharer("")
	ada.waitSharer("")
	for _, e := range ada.names(heard) {
		if e == "user-left grace" || e == "user-joined grace" {
			t.Errorf("the others heard %q of one who recovered", e)
		}
	}
}

// TestBackWithoutRecovery joins anew when the server has no session.
func TestBackWithoutRecovery(t *testing.T) {
	bus := memory.New(memory.Options{})
	a, b := serve(t, socketio.Options{Bus: bus}, meet.Options{}), serve(t, socketio.Options{Bus: bus}, meet.Options{})
	ada, grace := join(t, a, "r", "ada"), join(t, b, "r", "grace")
	grace.must("start-sharing", "r", "grace")
	ada.waitSharer("grace")
	grace.lose()
	ada.waitUsers("ada")
	join(t, a, "r", "grace").must("start-sharing", "r", "grace")
	ada.waitSharer("grace")
}

// TestFromIsTrue is weakness 13: people could speak in the name of others.
func TestFromIsTrue(t *testing.T) { onEachBus(t, fromIsTrue) }

func fromIsTrue(t *testing.T, cluster clusterFunc) {
	nodes := cluster(t, 2, never, meet.Options{})
	ada, grace := join(t, nodes[0], "r", "ada"), join(t, nodes[1], "r", "grace")
	grace.must("ice-candidate", map[string]any{"to": "ada", "from": "edsger", "candidate": map[string]string{"candidate": "c"}})
	if e := ada.waitFor("ice-candidate"); !strings.Contains(string(e.args[0]), `"from":"grace"`) {
		t.Errorf("the signal is %s, want it from grace", e.args[0])
	}
	impostor := connect(t, nodes[1], "")
	if problem := impostor.ask("join-room", "r", "ada"); problem != `"ada" is in the room already` {
		t.Errorf("a second ada is answered with %q", problem)
	}
	grace.must("leave-room", "r", "ada") // takes grace out, not ada
	ada.waitUsers("ada")
	stranger := join(t, nodes[1], "other", "ada")
	stranger.must("ice-candidate", map[string]any{"to": "ada", "candidate": map[string]string{"candidate": "to oneself"}})
	stranger.waitFor("ice-candidate")
	ada.must("leave-room", "r", "ada")
	for _, e := range ada.heard {
		if e.name == "ice-candidate" && strings.Contains(string(e.args[0]), "to oneself") {
			t.Error("a signal came from another room")
		}
	}
}

func TestFullRoom(t *testing.T) { onEachBus(t, fullRoom) }

func fullRoom(t *testing.T, cluster clusterFunc) {
	nodes := cluster(t, 2, never, meet.Options{MaxUsers: 3})
	const people = 8
	clients := make([]*client, people)
	for i := range clients {
		clients[i] = connect(t, nodes[i%2], "")
		clients[i].send("join-room", "r", fmt.Sprint("user-", i))
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
		problem := connect(t, nodes[i%2], "").ask("join-room", "r", fmt.Sprint("late-", i))
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
	next := connect(t, nodes[0], "")
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
			c := connect(t, url, "")
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

func TestPage(t *testing.T) {
	url := serve(t, socketio.Options{}, meet.Options{
		ICEServers: []meet.ICEServer{{URLs: []string{"stun:192.0.2.1"}}}, Links: []meet.Link{{Text: "more", URL: "/"}},
	})
	for path, want := range map[string]string{
		"/meet/":                  `data-testid="meet-join"`,
		"/meet/room/any?name=Ada": `data-testid="meet-video"`,
		"/meet/room.js":           "start-sharing",
		"/meet/config.json":       `{"iceServers":[{"urls":["stun:192.0.2.1"]}],"links":[{"text":"more","url":"/"}]}`,
	} {
		if status, body := get(t, url+path); status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s is %d %s, want %s in it", path, status, body, want)
		}
	}
}
