package socketio_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/socketio"
)

// Clients come, go, change, break off and recover on all nodes at once. Who
// watches the room hears of each join and leave once, of a recovery nothing, and
// knows in the end who is there; so does who asks for a list in between.
func TestPresenceUnderFire(t *testing.T) { onEachBus(t, testPresenceUnderFire) }

func testPresenceUnderFire(t *testing.T, cluster clusterFunc) {
	const people, steps = 9, 25
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	nodes := cluster(t, 3, presenceOptions(&socketio.Recovery{}))
	watcher, watching := connect(t, nodes[0])
	must(t, socketOf(t, nodes[0], watching).Join("meet:1"))
	view := newRoomView(t)
	view.hear(watcher.hear())
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		for {
			e := watcher.hear()
			view.hear(e)
			if e.Key == "end" {
				return
			}
		}
	}()
	joins := make([]int, people)
	var all sync.WaitGroup
	for i := range people {
		all.Go(func() {
			p := &person{t: t, nodes: nodes, random: rand.New(rand.NewPCG(seed, uint64(i)))}
			for range steps {
				p.step()
			}
			joins[i] = p.joins
			view.checkList(nodes[i%3])
		})
	}
	all.Wait()
	_, err := nodes[1].State("meet:1").CompareAndSet(bg, "end", 1, 0)
	must(t, err)
	<-watched
	want := 1
	for _, n := range joins {
		want += n
	}
	if view.joins != want {
		t.Errorf("heard of %d joins, there were %d", view.joins, want)
	}
	for _, n := range nodes {
		members, err := n.Presence("meet:1").Members(bg)
		must(t, err)
		if got := slices.Sorted(slices.Values(ids(members))); !slices.Equal(got, slices.Sorted(maps.Keys(view.members))) {
			t.Errorf("members are %v, heard of %v", got, slices.Sorted(maps.Keys(view.members)))
		}
		for _, m := range members {
			if heard := view.members[m.ID]; heard.Version != m.Version || !sameMeta(heard.Meta, m.Meta) || heard.User != m.User {
				t.Errorf("%+v is a member, heard of %+v", m, heard)
			}
		}
	}
}

// sameMeta makes no difference between none and null.
func sameMeta(heard, listed json.RawMessage) bool {
	return string(heard) == string(listed) || string(heard) == "null" && listed == nil
}

// person is a client that cannot make up its mind.
type person struct {
	t      *testing.T
	nodes  []*node
	random *rand.Rand
	conn   *client
	on     *node
	id     belfry.SocketID
	pid    string
	joins  int
}

func (p *person) step() {
	if p.conn == nil {
		p.connect("")
		return
	}
	s, ok := p.on.Socket(p.id)
	if !ok {
		p.t.Errorf("socket %s has gone", p.id)
		return
	}
	inside := slices.Contains(s.Rooms(), "meet:1")
	switch n := p.random.IntN(10); {
	case n < 2 && inside:
		s.Leave("meet:1")
		_, err := p.on.Presence("meet:1").Count(bg) // waits until that is told
		must(p.t, err)
	case n < 5 && inside:
		must(p.t, s.SetMeta(bg, "meet:1", p.random.IntN(100)))
	case n < 5:
		p.joins++
		must(p.t, s.Join("meet:1"))
	case n < 6:
		must(p.t, s.SetUser(fmt.Sprint("user", p.random.IntN(5))))
	case n < 7:
		p.conn.send("41")
		p.conn = nil
	default: // breaks off, and comes back somewhere
		_ = p.conn.ws.CloseNow()
		p.connect(fmt.Sprintf(`{"pid":%q}`, p.pid))
	}
}

// connect connects to some node; auth is a claim, or empty.
func (p *person) connect(auth string) {
	p.on = p.nodes[p.random.IntN(len(p.nodes))]
	p.conn = dial(p.t, p.on)
	p.conn.send("40" + auth)
	all := readUntil(p.conn, "40")
	id, pid := p.conn.hello("40", all[len(all)-1])
	if auth != "" && id != p.id {
		p.t.Errorf("%s was not recovered", p.id)
	}
	p.id, p.pid = id, pid
	p.conn.pump()
}

// roomView is what somebody knows who hears all events of a room.
type roomView struct {
	t *testing.T

	mu      sync.Mutex
	members map[belfry.SocketID]told
	joins   int
	version uint64
}

func newRoomView(t *testing.T) *roomView {
	return &roomView{t: t, members: map[belfry.SocketID]told{}}
}

func (v *roomView) hear(e told) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if e.Version <= v.version {
		v.t.Errorf("version %d comes after %d", e.Version, v.version)
	}
	v.version = e.Version
	_, there := v.members[e.ID]
	switch {
	case strings.HasPrefix(e.Event, "state"):
	case e.Event == "presence:join" && !there:
		v.joins++
		v.members[e.ID] = e
	case e.Event == "presence:update" && there:
		v.members[e.ID] = e
	case e.Event == "presence:leave" && there:
		delete(v.members, e.ID)
	default:
		v.t.Errorf("heard %q, there before: %v", e, there)
	}
}

// checkList compares a list with what was heard up to then: whatever is not newer
// than what has been heard must be in both.
func (v *roomView) checkList(n *node) {
	members, err := n.Presence("meet:1").Members(bg)
	if err != nil {
		v.t.Error(err)
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, m := range members {
		if heard, there := v.members[m.ID]; m.Version <= v.version && there && heard.Version < m.Version {
			v.t.Errorf("the list has %+v, heard up to %d of %+v", m, v.version, heard)
		}
	}
}
