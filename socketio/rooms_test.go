package socketio_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/internal/fronttest"
	"github.com/seed-09a96375/belfry/socketio"
)

func TestState(t *testing.T) { onEachBus(t, testState) }

func testState(t *testing.T, cluster clusterFunc) {
	nodes := cluster(t, 2, presenceOptions(nil))
	a, b := nodes[0], nodes[1]
	ca, ida := connect(t, a)
	cb, idb := connect(t, b)
	sa, sb := socketOf(t, a, ida), socketOf(t, b, idb)
	if _, err := a.State("meet:1").CompareAndSet(bg, "k", 1, 0); !errors.Is(err, socketio.ErrEmptyRoom) {
		t.Errorf("state of an empty room: %v", err)
	}
	if _, err := a.State("other").All(bg); !errors.Is(err, socketio.ErrNoPresence) {
		t.Errorf("state of a room without presence: %v", err)
	}
	must(t, sa.Join("meet:1"))
	if _, err := a.State("meet:1").CompareAndSet(bg, "sharing", idb, 0, socketio.OwnedBy(sb)); !errors.Is(err, socketio.ErrNotInRoom) {
		t.Errorf("an owner that is not in the room: %v", err)
	}
	must(t, sb.Join("meet:1"))
	first, err := b.State("meet:1").CompareAndSet(bg, "sharing", map[string]any{"by": "bob"}, 0, socketio.OwnedBy(sb))
	must(t, err)
	_, err = a.State("meet:1").CompareAndSet(bg, "sharing", "ada", 0, socketio.OwnedBy(sa))
	conflict := new(socketio.ConflictError)
	if !errors.As(err, &conflict) || conflict.Current.Version != first.Version || conflict.Current.Owner != idb {
		t.Errorf("second to share: %v, %+v", err, conflict)
	}
	if err := a.State("meet:1").Delete(bg, "sharing", first.Version-1); !errors.Is(err, socketio.ErrConflict) {
		t.Errorf("end with a wrong version: %v", err)
	}
	if got, err := a.State("meet:1").Get(bg, "sharing"); err != nil || !reflect.DeepEqual(got, first) {
		t.Errorf("got %+v, %v, want %+v", got, err, first)
	}
	page, err := a.State("meet:1").CompareAndSet(bg, "page", 1, 0)
	must(t, err)
	must(t, a.State("meet:1").Delete(bg, "page", page.Version))
	if _, err := a.State("meet:1").Get(bg, "page"); !errors.Is(err, socketio.ErrNoEntry) {
		t.Errorf("got what was deleted: %v", err)
	}
	cb.send("41")
	ca.wantTold(fmt.Sprintf("join %s  null", ida))
	ca.wantTold(fmt.Sprintf("join %s  null", idb))
	if e := ca.wantTold(`state sharing {"by":"bob"}`); e.Owner != idb || e.Version != first.Version {
		t.Errorf("told of %+v", e)
	}
	for _, want := range []string{"state page 1", "state page ended", "state sharing ended", fmt.Sprintf("leave %s", idb)} {
		ca.wantTold(want)
	}
	if all, err := a.State("meet:1").All(bg); err != nil || len(all) > 0 {
		t.Errorf("left is %v, %v", all, err)
	}
}

func TestRoomLimits(t *testing.T) {
	o := presenceOptions(nil)
	o.RoomLimits = socketio.RoomLimits{MaxMeta: 10, MaxKey: 3, MaxValue: 10, MaxEntries: 1}
	n := newNode(t, o)
	_, id := connect(t, n)
	s := socketOf(t, n, id)
	must(t, s.Join("meet:1"))
	state := n.State("meet:1")
	set := func(key string, value any) error { _, err := state.CompareAndSet(bg, key, value, 0); return err }
	large := strings.Repeat("x", 9) // and two quotes
	for what, err := range map[string]error{
		"metadata": s.SetMeta(bg, "meet:1", large), "key": set("long", 1), "value": set("k", large),
		"user": s.SetUser(strings.Repeat("x", 257)),
	} {
		if tooLarge := new(socketio.TooLargeError); !errors.As(err, &tooLarge) || tooLarge.What != what {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, key := range []string{"", "\xff"} {
		if set(key, 1) == nil {
			t.Errorf("key %q is taken", key)
		}
	}
	if s.SetUser("\xff") == nil || s.SetMeta(bg, "meet:1", make(chan int)) == nil || set("k", func() {}) == nil {
		t.Error("what has no JSON form is taken")
	}
	must(t, set("one", large[:8]))
	if err := set("two", 1); !errors.Is(err, socketio.ErrTooManyEntries) {
		t.Errorf("one entry too many: %v", err)
	}
	if _, err := socketio.New(socketio.Options{RoomLimits: socketio.RoomLimits{MaxKey: -1, MaxMeta: -1}}); err == nil ||
		!strings.Contains(err.Error(), "MaxKey is -1") || !strings.Contains(err.Error(), "MaxMeta is -1") {
		t.Errorf("negative limits: %v", err)
	}
}

// What a middleware says about a socket is part of its first join.
func TestPresenceFromMiddleware(t *testing.T) { onEachBus(t, testPresenceFromMiddleware) }

func testPresenceFromMiddleware(t *testing.T, cluster clusterFunc) {
	n := cluster(t, 1, presenceOptions(nil))[0]
	n.Use(func(ctx ctx, s *socketio.Socket) error {
		return errors.Join(s.SetUser("first"), s.SetUser("ada"), s.SetMeta(ctx, "meet:1", 1), s.SetMeta(ctx, "meet:1", 2), s.Join("meet:1"))
	})
	c := dial(t, n)
	id := c.connect("/", "")
	c.wantTold(fmt.Sprintf("join %s ada 2", id))
	mustEmit(t, n.ToUser("first").Emit(bg, "nobody"))
	mustEmit(t, n.ToUser("ada").Emit(bg, "hello"))
	if p := c.read(); eventName(p) != "hello" {
		t.Errorf("got %q", p)
	}
	wantMembers(t, []*node{n}, "meet:1", id)
}

// A join that another node asks for is one like any other.
func TestPresenceOfSocketsJoin(t *testing.T) { onEachBus(t, testPresenceOfSocketsJoin) }

func testPresenceOfSocketsJoin(t *testing.T, cluster clusterFunc) {
	nodes := cluster(t, 2, presenceOptions(nil))
	a, b := nodes[0], nodes[1]
	ca, ida := connect(t, a)
	cb, idb := connect(t, b)
	must(t, a.To(belfry.Room(idb)).SocketsJoin(bg, "meet:1"))
	must(t, a.To(belfry.Room(ida)).SocketsJoin(bg, "meet:1"))
	cb.wantTold(fmt.Sprintf("join %s  null", idb))
	cb.wantTold(fmt.Sprintf("join %s  null", ida))
	wantMembers(t, nodes, "meet:1", idb, ida)
	ca.awaitTold(fmt.Sprintf("join %s  null", ida))
	must(t, b.To("meet:1").SocketsLeave(bg, "meet:1"))
	fronttest.Eventually(t, "both have left", func() bool {
		n, err := a.Presence("meet:1").Count(bg)
		return err == nil && n == 0
	})
	must(t, b.Local().SocketsJoin(bg, "meet:1"))
	wantMembers(t, nodes, "meet:1", idb)
}

func TestUsers(t *testing.T) { onEachBus(t, testUsers) }

func testUsers(t *testing.T, cluster clusterFunc) {
	nodes := cluster(t, 2, presenceOptions(&socketio.Recovery{}))
	a, b := nodes[0], nodes[1]
	desk, idDesk := connect(t, a)
	phone := dial(t, b)
	idPhone, pid := phone.connectSession("/", "")
	other, idOther := connect(t, b)
	must(t, socketOf(t, a, idDesk).SetUser("ada"))
	must(t, socketOf(t, b, idPhone).SetUser("ada"))
	must(t, socketOf(t, b, idOther).SetUser("bob"))
	mustEmit(t, b.ToUser("ada").Emit(bg, "call"))
	for _, c := range []*client{desk, phone} {
		if p := c.read(); eventName(p) != "call" {
			t.Errorf("got %q", p)
		}
	}
	sockets, err := a.UserSockets(bg, "ada")
	must(t, err)
	var got []belfry.SocketID
	for _, s := range sockets {
		got = append(got, s.ID)
		if want := []belfry.Room{belfry.Room(s.ID)}; !reflect.DeepEqual(s.Rooms, want) {
			t.Errorf("rooms of %s are %q", s.ID, s.Rooms)
		}
	}
	slices.Sort(got)
	if want := slices.Sorted(slices.Values([]belfry.SocketID{idDesk, idPhone})); !slices.Equal(got, want) {
		t.Errorf("sockets of ada are %v, want %v", got, want)
	}

	_ = phone.ws.CloseNow()
	fronttest.Eventually(t, "the node notices", func() bool { return b.Len() == 1 })
	mustEmit(t, a.ToUser("ada").Emit(bg, "while away"))
	phone = dial(t, a)
	phone.send(fmt.Sprintf(`40{"pid":%q}`, pid))
	all := readUntil(phone, "40")
	for !slices.ContainsFunc(all, func(p string) bool { return strings.Contains(p, "while away") }) {
		all = append(all, phone.read())
	}
	s := socketOf(t, a, idPhone)
	if s.User() != "ada" {
		t.Errorf("user of the recovered socket is %q", s.User())
	}
	must(t, s.SetUser(""))
	if sockets, err = b.UserSockets(bg, "ada"); err != nil || len(sockets) != 1 {
		t.Errorf("sockets of ada are %v, %v", sockets, err)
	}
	other.quiet(b, idOther)
}

// A middleware that runs on recovery may name another user.
func TestRecoveredAsAnotherUser(t *testing.T) {
	o := presenceOptions(&socketio.Recovery{RunMiddlewares: true})
	n := newNode(t, o)
	next := "ada"
	n.Use(func(_ ctx, s *socketio.Socket) error { return errors.Join(s.SetUser(next), s.Join("meet:1")) })
	_, watching := connect(t, n)
	c := dial(t, n)
	id, pid := c.connectSession("/", "")
	_ = c.ws.CloseNow()
	fronttest.Eventually(t, "the node notices", func() bool { return n.Len() == 1 })
	next = "eve"
	c = dial(t, n)
	c.send(fmt.Sprintf(`40{"pid":%q}`, pid))
	readUntil(c, "40")
	members, err := n.Presence("meet:1").Members(bg)
	must(t, err)
	if p := find(members, id); p.User != "eve" || socketOf(t, n, id).User() != "eve" {
		t.Errorf("recovered as %+v", p)
	}
	if s, err := n.UserSockets(bg, "ada"); err != nil || len(s) != 1 || s[0].ID != watching {
		t.Errorf("sockets of ada are %v, %v", s, err)
	}
}

// Who does not come back leaves when the time is over, once; who does after that
// is a new member.
func TestPresenceRunsOut(t *testing.T) { onEachBus(t, testPresenceRunsOut) }

func testPresenceRunsOut(t *testing.T, cluster clusterFunc) {
	nodes := cluster(t, 2, presenceOptions(&socketio.Recovery{MaxDisconnection: time.Second}))
	a, b := nodes[0], nodes[1]
	watcher, watching := connect(t, b)
	must(t, socketOf(t, b, watching).Join("meet:1"))
	watcher.hear()
	c := dial(t, a)
	id, pid := c.connectSession("/", "")
	must(t, socketOf(t, a, id).Join("meet:1"))
	watcher.wantTold(fmt.Sprintf("join %s  null", id))
	_ = c.ws.CloseNow()
	fronttest.Eventually(t, "the node notices", func() bool { return a.Len() == 0 })
	wantMembers(t, nodes, "meet:1", watching, id)
	watcher.wantTold(fmt.Sprintf("leave %s", id))
	wantMembers(t, nodes, "meet:1", watching)
	c = dial(t, b)
	if again, _ := c.connectSession("/", fmt.Sprintf(`{"pid":%q}`, pid)); again == id {
		t.Error("resumed after its time")
	}
	watcher.quiet(b, watching)
}

// A node that is closed is left without a word: its clients are members all the
// time.
func TestPresenceOverRestart(t *testing.T) { onEachBus(t, testPresenceOverRestart) }

func testPresenceOverRestart(t *testing.T, cluster clusterFunc) {
	nodes := cluster(t, 2, presenceOptions(&socketio.Recovery{}))
	a, b := nodes[0], nodes[1]
	watcher, watching := connect(t, b)
	must(t, socketOf(t, b, watching).Join("meet:1"))
	watcher.hear()
	c := dial(t, a)
	id, pid := c.connectSession("/", "")
	must(t, socketOf(t, a, id).Join("meet:1"))
	watcher.wantTold(fmt.Sprintf("join %s  null", id))
	c.pump()
	must(t, a.Close(bg))
	wantMembers(t, []*node{b}, "meet:1", watching, id)
	c = dial(t, b)
	c.send(fmt.Sprintf(`40{"pid":%q}`, pid))
	readUntil(c, "40")
	wantMembers(t, []*node{b}, "meet:1", watching, id)
	watcher.quiet(b, watching)
}

// A socket may be in several rooms: its end ends all its stays and what it owns
// in each, and touches nobody else's.
func TestPresenceInSeveralRooms(t *testing.T) { onEachBus(t, testPresenceInSeveralRooms) }

func testPresenceInSeveralRooms(t *testing.T, cluster clusterFunc) {
	nodes := cluster(t, 2, presenceOptions(nil))
	a, b := nodes[0], nodes[1]
	c, id := connect(t, a)
	_, idOther := connect(t, b)
	s, other := socketOf(t, a, id), socketOf(t, b, idOther)
	rooms := []belfry.Room{"meet:1", "meet:2", "meet:3"}
	for _, room := range rooms {
		must(t, s.Join(room))
		must(t, other.Join(room))
		_, err := b.State(room).CompareAndSet(bg, "mine", 1, 0, socketio.OwnedBy(s))
		must(t, err)
		_, err = a.State(room).CompareAndSet(bg, "other's", 1, 0, socketio.OwnedBy(other))
		must(t, err)
	}
	c.send("41")
	for _, room := range rooms {
		fronttest.Eventually(t, "it has left", func() bool {
			n, err := b.Presence(room).Count(bg)
			return err == nil && n == 1
		})
		wantMembers(t, nodes, room, idOther)
		if all, err := a.State(room).All(bg); err != nil || len(all) != 1 || all["other's"].Owner != idOther {
			t.Errorf("state of %s is %+v, %v", room, all, err)
		}
	}
}
