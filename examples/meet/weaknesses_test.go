package meet_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/examples/meet"
	"github.com/seed-09a96375/belfry/socketio"
	"github.com/seed-09a96375/belfry/socketio/socketiotest"
)

// Each test here is named after what must hold where the system that this one
// replaces had a weakness; its number there stands beside it. Those that need a
// crash or a Redis that is away are in redis_test.go.

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
	if e := grace.waitFor("offer"); string(e.Args[0]) != `{"from":"ada","offer":{"sdp":"v=0","type":"offer"}}` {
		t.Errorf("offer is %s", e.Args[0])
	}
	grace.must("answer", map[string]any{"to": "ada", "answer": map[string]string{"type": "answer", "sdp": "v=1"}})
	if e := ada.waitFor("answer"); string(e.Args[0]) != `{"answer":{"sdp":"v=1","type":"answer"},"from":"grace"}` {
		t.Errorf("answer is %s", e.Args[0])
	}
	for i := range 5 {
		grace.must("ice-candidate", map[string]any{"to": "ada", "candidate": map[string]string{"candidate": fmt.Sprint(i)}})
	}
	for i := range 5 {
		if e := ada.waitFor("ice-candidate"); string(e.Args[0]) != fmt.Sprintf(`{"candidate":{"candidate":"%d"},"from":"grace"}`, i) {
			t.Errorf("candidate %d is %s", i, e.Args[0])
		}
	}
	edsger.must("leave-room", "r", "edsger") // what was for others would be here by now
	if i := slices.IndexFunc(edsger.Heard, func(e socketiotest.Event) bool { return e.Name == "offer" || e.Name == "ice-candidate" }); i >= 0 {
		t.Errorf("a third person got %s %s", edsger.Heard[i].Name, edsger.Heard[i].Args)
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
		c, user := connect(t, nodes[i%3]), fmt.Sprintf("user-%02d", i)
		c.Send("join-room", "r", user)
		if i%4 == 0 {
			c.Send("leave-room", "r", user)
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
	heard := len(ada.Heard)
	grace.Lose()
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
		c.Send("start-sharing", "r", "")
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
	heard := len(ada.Heard)
	grace.Lose()
	edsger := join(t, nodes[1], "r", "edsger")
	ada.must("ice-candidate", map[string]any{"to": "grace", "candidate": map[string]string{"candidate": "c"}})

	back := grace.resume(nodes[0])
	if back.ID != grace.ID {
		t.Fatalf("came back as %s, was %s: not recovered", back.ID, grace.ID)
	}
	back.waitFor("ice-candidate")
	back.Rewind() // the lists may have come before
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
	grace.Lose()
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
	if e := ada.waitFor("ice-candidate"); !strings.Contains(string(e.Args[0]), `"from":"grace"`) {
		t.Errorf("the signal is %s, want it from grace", e.Args[0])
	}
	impostor := connect(t, nodes[1])
	if problem := impostor.ask("join-room", "r", "ada"); problem != `"ada" is in the room already` {
		t.Errorf("a second ada is answered with %q", problem)
	}
	grace.must("leave-room", "r", "ada") // takes grace out, not ada
	ada.waitUsers("ada")
	stranger := join(t, nodes[1], "other", "ada")
	stranger.must("ice-candidate", map[string]any{"to": "ada", "candidate": map[string]string{"candidate": "to oneself"}})
	stranger.waitFor("ice-candidate")
	ada.must("leave-room", "r", "ada")
	for _, e := range ada.Heard {
		if e.Name == "ice-candidate" && strings.Contains(string(e.Args[0]), "to oneself") {
			t.Error("a signal came from another room")
		}
	}
}
