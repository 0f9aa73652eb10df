package socketio_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/internal/fronttest"
	"github.com/seed-09a96375/belfry/socketio"
)

// told is what a client hears of a room.
type told struct {
	Event   string
	ID      belfry.SocketID `json:"id"`
	User    string          `json:"user"`
	Meta    json.RawMessage `json:"meta"`
	Node    belfry.NodeID   `json:"node"`
	Key     string          `json:"key"`
	Value   json.RawMessage `json:"value"`
	Owner   belfry.SocketID `json:"owner"`
	Deleted bool            `json:"deleted"`
	Version uint64          `json:"version"`
}

// hear reads one event about a room.
func (c *client) hear() told {
	c.t.Helper()
	return c.parse(c.read())
}

func (c *client) parse(p string) told {
	c.t.Helper()
	var words []json.RawMessage
	var e told
	if err := json.Unmarshal([]byte(strings.TrimPrefix(p, "42")), &words); err != nil || len(words) < 2 {
		c.t.Fatalf("packet %q is no event about a room: %v", p, err)
	}
	if json.Unmarshal(words[0], &e.Event) != nil || json.Unmarshal(words[1], &e) != nil {
		c.t.Fatalf("packet %q is no event about a room", p)
	}
	return e
}

// wantTold reads the next event and compares what is short in it.
func (c *client) wantTold(want string) told {
	c.t.Helper()
	e := c.hear()
	if got := e.String(); got != want {
		c.t.Fatalf("heard %q, want %q", got, want)
	}
	return e
}

func (e told) String() string {
	switch {
	case e.Event == "state" && e.Deleted:
		return fmt.Sprintf("state %s ended", e.Key)
	case e.Event == "state":
		return fmt.Sprintf("state %s %s", e.Key, e.Value)
	case e.Event == "presence:leave":
		return fmt.Sprintf("leave %s", e.ID)
	default:
		return fmt.Sprintf("%s %s %s %s", strings.TrimPrefix(e.Event, "presence:"), e.ID, e.User, e.Meta)
	}
}

func ids(members []socketio.Present) (all []belfry.SocketID) {
	for _, m := range members {
		all = append(all, m.ID)
	}
	return all
}

// wantMembers compares the list of members on all nodes.
func wantMembers(t *testing.T, nodes []*node, room belfry.Room, want ...belfry.SocketID) {
	t.Helper()
	for i, n := range nodes {
		members, err := n.Presence(room).Members(bg)
		if err != nil {
			t.Fatalf("members on node %d: %v", i, err)
		}
		if !reflect.DeepEqual(ids(members), want) {
			t.Fatalf("members on node %d are %v, want %v", i, ids(members), want)
		}
		if count, err := n.Presence(room).Count(bg); err != nil || count != len(want) {
			t.Fatalf("count on node %d is %d, %v, want %d", i, count, err, len(want))
		}
	}
}

func presenceOptions(r *socketio.Recovery) socketio.Options {
	return socketio.Options{Recovery: r, Presence: socketio.RoomPattern("meet:*")}
}

func socketOf(t *testing.T, n *node, id belfry.SocketID) *socketio.Socket {
	t.Helper()
	s, ok := n.Socket(id)
	if !ok {
		t.Fatalf("no socket %s", id)
	}
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestPresence(t *testing.T) { onEachBus(t, testPresence) }

func testPresence(t *testing.T, cluster clusterFunc) {
	nodes := cluster(t, 2, presenceOptions(nil))
	a, b := nodes[0], nodes[1]
	ca, ida := connect(t, a)
	cb, idb := connect(t, b)
	sa, sb := socketOf(t, a, ida), socketOf(t, b, idb)

	must(t, sa.SetUser("ada"))
	must(t, sa.SetMeta(bg, "meet:1", map[string]any{"hand": false}))
	must(t, sa.Join("meet:1", "other"))
	ca.wantTold(fmt.Sprintf(`join %s ada {"hand":false}`, ida))
	must(t, sb.Join("meet:1"))
	cb.awaitTold(fmt.Sprintf(`join %s  null`, idb))
	ca.wantTold(fmt.Sprintf(`join %s  null`, idb))
	wantMembers(t, nodes, "meet:1", ida, idb)
	members, err := b.Presence("meet:1").Members(bg)
	must(t, err)
	if m := members[0]; m.User != "ada" || string(m.Meta) != `{"hand":false}` || m.Node != a.NodeID() || m.JoinedAt.IsZero() || m.Version == 0 {
		t.Errorf("ada is %+v", m)
	}

	must(t, sa.SetMeta(bg, "meet:1", map[string]any{"hand": true}))
	must(t, sb.SetUser("bob"))
	for _, c := range []*client{ca, cb} {
		first := c.wantTold(fmt.Sprintf(`update %s ada {"hand":true}`, ida))
		second := c.wantTold(fmt.Sprintf(`update %s bob null`, idb))
		if second.Version <= first.Version {
			t.Errorf("versions %d and then %d", first.Version, second.Version)
		}
	}
	must(t, sa.SetMeta(bg, "meet:1", map[string]any{"hand": true})) // nothing new: nobody is told
	must(t, sa.Join("meet:1"))
	cb.quiet(b, idb)

	sa.Leave("meet:1")
	wantMembers(t, nodes[:1], "meet:1", idb) // without a wait: it is this node's own leave
	cb.wantTold(fmt.Sprintf("leave %s", ida))
	ca.quiet(a, ida)
	if err := sa.SetMeta(bg, "other", 1); !errors.Is(err, socketio.ErrNoPresence) {
		t.Errorf("metadata in a room without presence: %v", err)
	}
	if _, err := a.Presence("other").Members(bg); !errors.Is(err, socketio.ErrNoPresence) {
		t.Errorf("members of a room without presence: %v", err)
	}
}

// A client that says goodbye, or is sent away, has left before the disconnect
// handlers run; so has one that breaks off, without recovery.
func TestPresenceEnds(t *testing.T) { onEachBus(t, testPresenceEnds) }

func testPresenceEnds(t *testing.T, cluster clusterFunc) {
	nodes := cluster(t, 2, presenceOptions(nil))
	a, b := nodes[0], nodes[1]
	for _, n := range nodes {
		n.Use(func(_ ctx, s *socketio.Socket) error { return s.Join("meet:1") })
	}
	seen := make(chan []socketio.Present, 1)
	a.OnDisconnect(func(*socketio.Socket, socketio.Reason) {
		members, err := a.Presence("meet:1").Members(bg)
		if err != nil {
			t.Error(err)
		}
		seen <- members
	})
	watcher := dial(t, b)
	watching := watcher.connectJoined()
	for name, leave := range map[string]func(c *client, id belfry.SocketID){
		"goodbye":    func(c *client, _ belfry.SocketID) { c.send("41") },
		"break":      func(c *client, _ belfry.SocketID) { _ = c.ws.CloseNow() },
		"sent away":  func(_ *client, id belfry.SocketID) { must(t, b.To(belfry.Room(id)).DisconnectSockets(bg, false)) },
		"cut off":    func(_ *client, id belfry.SocketID) { socketOf(t, a, id).Disconnect(true) },
		"left first": func(c *client, id belfry.SocketID) { socketOf(t, a, id).Leave("meet:1"); c.send("41") },
	} {
		c := dial(t, a)
		id := c.connectJoined()
		watcher.wantTold(fmt.Sprintf("join %s  null", id))
		leave(c, id)
		watcher.wantTold(fmt.Sprintf("leave %s", id))
		if got := ids(<-seen); !reflect.DeepEqual(got, []belfry.SocketID{watching}) {
			t.Errorf("%s: the disconnect handler sees %v", name, got)
		}
	}
	watcher.quiet(b, watching)
}

// connectJoined connects where a middleware joins a room: the client hears of
// itself after the answer.
func (c *client) connectJoined() belfry.SocketID {
	c.t.Helper()
	id := c.connect("/", "")
	c.awaitTold(fmt.Sprintf("join %s  null", id))
	return id
}

// awaitTold reads events until this one comes: who has just joined may hear what
// its node hears late.
func (c *client) awaitTold(want string) {
	c.t.Helper()
	for c.hear().String() != want {
	}
}

// A client that recovers, on any node, never left: nobody hears anything.
func TestPresenceRecovers(t *testing.T) { onEachBus(t, testPresenceRecovers) }

func testPresenceRecovers(t *testing.T, cluster clusterFunc) {
	nodes := cluster(t, 3, presenceOptions(&socketio.Recovery{}))
	a, b, c := nodes[0], nodes[1], nodes[2]
	watcher, watching := connect(t, c)
	must(t, socketOf(t, c, watching).Join("meet:1"))
	watcher.hear()

	old := dial(t, a)
	id, pid := old.connectSession("/", "")
	s := socketOf(t, a, id)
	must(t, s.SetUser("ada"))
	must(t, s.SetMeta(bg, "meet:1", "meta"))
	must(t, s.Join("meet:1"))
	_, err := a.State("meet:1").CompareAndSet(bg, "sharing", id, 0, socketio.OwnedBy(s))
	must(t, err)
	watcher.wantTold(fmt.Sprintf(`join %s ada "meta"`, id))
	watcher.wantTold(fmt.Sprintf(`state sharing "%s"`, id))
	before, err := c.Presence("meet:1").Members(bg)
	must(t, err)

	_ = old.ws.CloseNow()
	fronttest.Eventually(t, "the node notices", func() bool { return a.Len() == 0 })
	must(t, socketOf(t, c, watching).SetMeta(bg, "meet:1", "while away"))
	again := dial(t, b)
	again.send(fmt.Sprintf(`40{"pid":%q}`, pid))
	back := readUntil(again, "40")
	if sid, _ := again.hello("40", back[len(back)-1]); sid != id {
		t.Fatalf("resumed as %s, want %s", sid, id)
	}
	back = readUntil(again, `42["presence:update"`)
	missed := again.parse(back[len(back)-1])
	if missed.Event != "presence:update" || string(missed.Meta) != `"while away"` {
		t.Errorf("the recovered client missed %v", missed)
	}
	watcher.wantTold(fmt.Sprintf(`update %s  "while away"`, watching))
	s = socketOf(t, b, id)
	if s.User() != "ada" {
		t.Errorf("the user is %q", s.User())
	}
	must(t, s.SetUser("ada the first")) // with what the other node knew of it
	watcher.wantTold(fmt.Sprintf(`update %s ada the first "meta"`, id))
	after, err := c.Presence("meet:1").Members(bg)
	must(t, err)
	if was, is := find(before, id), find(after, id); !was.JoinedAt.Equal(is.JoinedAt) || is.Node != b.NodeID() {
		t.Errorf("was %+v, is %+v", was, is)
	}
	again.send("41")
	watcher.wantTold("state sharing ended")
	watcher.wantTold(fmt.Sprintf("leave %s", id))
	wantMembers(t, []*node{c}, "meet:1", watching)
	watcher.quiet(c, watching)
}

func find(all []socketio.Present, id belfry.SocketID) socketio.Present {
	for _, p := range all {
		if p.ID == id {
			return p
		}
	}
	return socketio.Present{}
}

// readUntil reads up to the first packet with this prefix.
func readUntil(c *client, prefix string) (all []string) {
	c.t.Helper()
	for {
		p := c.read()
		all = append(all, p)
		if strings.HasPrefix(p, prefix) {
			return all
		}
	}
}

func TestRoomPattern(t *testing.T) {
	f := socketio.RoomPattern("meet:*", "lobby", "*:board:*x", "")
	for room, want := range map[belfry.Room]bool{
		"meet:": true, "meet:1": true, "meet": false, "ameet:1": false,
		"lobby": true, "lobby2": false, "": true,
		"a:board:x": true, ":board::board:yx": true, "a:board:y": false, "a:board": false,
	} {
		if f(room) != want {
			t.Errorf("%q: %v, want %v", room, !want, want)
		}
	}
}

func TestReservedRooms(t *testing.T) {
	n := newNode(t, socketio.Options{Hooks: socketio.Hooks{
		JoinRoom: func(_ string, room belfry.Room, _ belfry.SocketID) {
			if strings.HasPrefix(string(room), "\x00") {
				t.Errorf("a hook is told of %q", room)
			}
		},
	}})
	c, id := connect(t, n)
	s := socketOf(t, n, id)
	must(t, s.SetUser("ada"))
	must(t, s.Join("plain"))
	if err := s.Join("\x00user:bob"); !errors.Is(err, socketio.ErrReservedRoom) {
		t.Errorf("joins the room of a user: %v", err)
	}
	mustEmit(t, n.ToUser("bob").Emit(bg, "secret"))
	s.Leave("\x00user:ada")
	mustEmit(t, n.ToUser("ada").Emit(bg, "hello"))
	c.want(event("hello"))
	if want := []belfry.Room{belfry.Room(id), "plain"}; !reflect.DeepEqual(s.Rooms(), want) {
		t.Errorf("rooms are %q", s.Rooms())
	}
	if all, err := n.AllRooms(bg); err != nil || !reflect.DeepEqual(all, []belfry.Room{"plain"}) {
		t.Errorf("all rooms are %q, %v", all, err)
	}
	s.Disconnect(false)
	if want := []belfry.Room{belfry.Room(id), "plain"}; !reflect.DeepEqual(s.Rooms(), want) {
		t.Errorf("rooms of the ended socket are %q", s.Rooms())
	}
}
