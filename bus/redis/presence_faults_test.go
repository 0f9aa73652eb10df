//go:build unix

package redis

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

var meeting = belfry.Place{Namespace: "/", Room: "meeting"}

func visit(id string, hold uint64) belfry.Stay {
	return belfry.Stay{Place: meeting, Socket: belfry.SocketID(id), Hold: hold}
}

func enter(t *testing.T, link belfry.Link, id string, back time.Duration) {
	t.Helper()
	_, err := link.(belfry.Presence).Enter(t.Context(), visit(id, 1), belfry.Entrance{Meta: []byte(`"of ` + id + `"`), Back: back})
	check(t, err)
}

// names returns who is present, in order.
func present(t *testing.T, link belfry.Link) []string {
	t.Helper()
	all, err := link.(belfry.Presence).Members(t.Context(), meeting)
	check(t, err)
	ids := map[string]struct{}{}
	for _, p := range all {
		ids[string(p.ID)] = struct{}{}
	}
	return slices.Sorted(maps.Keys(ids))
}

// awaitPresent waits until these are present, in order.
func awaitPresent(t *testing.T, link belfry.Link, want ...string) {
	t.Helper()
	eventually(t, func() string {
		if now := present(t, link); !slices.Equal(now, want) {
			return fmt.Sprintf("%q are present, want %q", now, want)
		}
		return ""
	})
}

// eventually waits until nothing is wrong.
func eventually(t *testing.T, wrong func() string) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for why := wrong(); why != ""; why = wrong() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal(why)
		}
	}
}

// heard counts the messages of a ledger whose data begin so.
func heard(n *redistest.Ledger, begin string) (count int) {
	for _, data := range n.Got() {
		if strings.HasPrefix(data, begin) {
			count++
		}
	}
	return count
}

// TestPresenceIsToldAgain: Redis has lost all it knew of members, or half of it.
func TestPresenceIsToldAgain(t *testing.T) {
	server := redistest.Start(t)
	o := Options{URL: server.URL()}
	_, a := attach(t, open(t, o), "a")
	_, b := attach(t, open(t, o), "b")
	for i := range 50 {
		enter(t, a, fmt.Sprintf("a%02d", i), time.Minute)
	}
	enter(t, b, "b", time.Minute)
	all := present(t, a)
	server.Must("FLUSHALL")
	awaitPresent(t, b, all...)
	server.Must("DEL", "belfry:{0}:members:/#meeting", "belfry:{0}:present:"+linkOf(a).holder())
	awaitPresent(t, b, append(slices.Clone(all[:50]), "b")[:50]...)
}

// TestPresenceOfTheLost: Redis knows a member that nobody has: the call that took
// it out was lost.
func TestPresenceOfTheLost(t *testing.T) {
	server := redistest.Start(t)
	_, a := attach(t, open(t, Options{URL: server.URL()}), "a")
	n, b := attach(t, open(t, Options{URL: server.URL()}), "b")
	enter(t, a, "stays", time.Second)
	enter(t, a, "ghost", time.Second)
	linkOf(a).attendance.forget(reference(placeKey(meeting), "ghost"), 1)
	awaitPresent(t, b, "stays")
	eventually(t, func() string {
		if heard(n, `["presence:leave",{"id":"ghost"`) != 1 {
			return fmt.Sprintf("the leave of a ghost was not told: %q", n.Got())
		}
		return ""
	})
}

// TestPresenceOfTheThawed: the others took a node for dead, which is back before
// the time of its members is over. Nobody hears anything.
func TestPresenceOfTheThawed(t *testing.T) {
	server := redistest.Start(t)
	_, a := attach(t, open(t, Options{URL: server.URL()}), "a")
	n, b := attach(t, open(t, Options{URL: server.URL()}), "b")
	enter(t, a, "ada", 4*time.Second)
	enter(t, a, "moved", 4*time.Second)
	la := linkOf(a)
	// a is not heard of, so that b takes it for dead.
	gone := la.holder()
	for server.Must("SCARD", "belfry:{0}:present:"+gone) != ":0" {
		server.Must("DEL", "belfry:{0}:lease:a")
		_, err := linkOf(b).depart()
		check(t, err)
	}
	_, err := b.(belfry.Presence).Enter(t.Context(), visit("moved", 7), belfry.Entrance{Kind: belfry.Return, Back: time.Minute})
	check(t, err)
	// a has its lease again with the next beat, and ada with it.
	eventually(t, func() string {
		here, away := server.Must("SCARD", "belfry:{0}:present:"+gone), server.Must("ZCARD", "belfry:{0}:away")
		stale := la.attendance.find(reference(placeKey(meeting), "moved"))
		if here != ":1" || away != ":0" || stale != nil {
			return fmt.Sprintf("%s here, %s away, %+v", here, away, stale)
		}
		return ""
	})
	awaitPresent(t, b, "ada", "moved")
	if leaves := heard(n, `["presence:leave"`); leaves > 0 {
		t.Errorf("%d leaves were told", leaves)
	}
	all, err := b.(belfry.Presence).Members(t.Context(), meeting)
	check(t, err)
	for _, p := range all {
		if p.ID == "moved" && p.Node != "b" {
			t.Errorf("the node that was frozen has taken back %+v", p)
		}
	}
}

// TestPresenceWithoutLeases: Redis was away for longer than leases last. Nodes that
// live are not taken for dead, also if nobody may be away.
func TestPresenceWithoutLeases(t *testing.T) {
	server := redistest.Start(t)
	_, a := attach(t, open(t, Options{URL: server.URL()}), "a")
	n, b := attach(t, open(t, Options{URL: server.URL()}), "b")
	enter(t, a, "ada", 0)
	enter(t, b, "bob", 0)
	held := "belfry:{0}:present:" + linkOf(a).holder()
	for server.Must("SCARD", held) != ":0" {
		server.Must("DEL", "belfry:{0}:lease:a")
		_, err := linkOf(b).depart()
		check(t, err)
	}
	eventually(t, func() string {
		if here, away := server.Must("SCARD", held), server.Must("ZCARD", "belfry:{0}:away"); here != ":1" || away != ":0" {
			return fmt.Sprintf("%s here, %s away", here, away)
		}
		return ""
	})
	if leaves := heard(n, `["presence:leave"`); leaves > 0 || len(present(t, b)) != 2 {
		t.Errorf("%d leaves were told, %q are present", leaves, present(t, b))
	}
}

// TestPresenceOverBrokenConnections: all connections break again and again while
// nodes count up an entry. No version is won twice, none is lost; where it is not
// known whether an entry was set, the caller is told so.
func TestPresenceOverBrokenConnections(t *testing.T) {
	server := redistest.Start(t)
	const nodes, each = 3, 120
	links := make([]belfry.Link, nodes)
	for i := range links {
		_, links[i] = attach(t, open(t, Options{URL: server.URL()}), belfry.NodeID(rune('a'+i)))
		enter(t, links[i], fmt.Sprint("member", i), time.Minute)
	}
	stop := breaking(t, server)
	var won sync.Map
	var sure, unsure atomic.Int64
	var all sync.WaitGroup
	for _, link := range links {
		all.Go(func() {
			for range each {
				switch err := addOne(t.Context(), link.(belfry.RoomState), &won); {
				case err == nil:
					sure.Add(1)
				case errors.Is(err, belfry.ErrUnavailable):
					unsure.Add(1)
				default:
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	stop()
	e, err := links[0].(belfry.RoomState).Entries(t.Context(), meeting)
	check(t, err)
	if len(e) != 1 {
		t.Fatalf("the state is %+v", e)
	}
	value, _ := strconv.ParseInt(string(e[0].Value), 10, 64)
	t.Logf("value %d: %d surely set, %d not known", value, sure.Load(), unsure.Load())
	if value < sure.Load() || value > sure.Load()+unsure.Load() {
		t.Errorf("the value is %d after %d additions and %d of which it is not known", value, sure.Load(), unsure.Load())
	}
	awaitPresent(t, links[0], "member0", "member1", "member2")
	if unsure.Load() == int64(nodes*each) {
		t.Error("nothing is known of any addition")
	}
}

// breaking ends all connections every now and then.
func breaking(t *testing.T, server *redistest.Server) (stop func()) {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				_, _ = server.Ask(t.Context(), "CLIENT", "KILL", "TYPE", "normal")
			case <-end:
				return
			}
		}
	}()
	return func() { close(end); <-ended }
}

// addOne adds one to an entry. Nobody else may have won the same version.
func addOne(ctx context.Context, s belfry.RoomState, won *sync.Map) error {
	var seen belfry.Entry
	for {
		n, _ := strconv.Atoi(string(seen.Value))
		_, err := s.Set(ctx, meeting, belfry.Entry{Key: "n", Value: []byte(strconv.Itoa(n + 1)), Version: seen.Version}, 1)
		if conflict := new(belfry.ConflictError); errors.As(err, &conflict) {
			seen = conflict.Current
			continue
		}
		if err == nil {
			if _, again := won.LoadOrStore(seen.Version, true); again {
				return fmt.Errorf("version %d was won twice", seen.Version)
			}
		}
		return err
	}
}

// TestPresenceForeign: what is not ours among our keys disturbs nobody.
func TestPresenceForeign(t *testing.T) {
	server := redistest.Start(t)
	_, a := attach(t, open(t, Options{URL: server.URL()}), "a")
	base := "belfry:{0}:"
	for _, record := range []string{"", "x", "1\n2\n3", "1\n2\n3\n4\n5\n6\nnobody.run", "\n\n\n\n\n\n", "1\n2\n\"x\"\n{"} {
		server.Must("HSET", base+"members:/#meeting", "foreign"+record, record)
		server.Must("HSET", base+"state:/#meeting", "foreign"+record, record)
		server.Must("ZADD", base+"away", "0", record)
		server.Must("ZADD", base+"away", "0", reference(placeKey(meeting), belfry.SocketID("foreign"+record)))
		server.Must("SADD", base+"present:dead.run", record)
	}
	server.Must("ZADD", base+"away", "0", "999999999999999999999 /#meeting")
	server.Must("HSET", base+"present", "dead.run", "x", "x", "y", "", "")
	enter(t, a, "ada", time.Minute)
	_, err := a.(belfry.RoomState).Set(t.Context(), meeting, belfry.Entry{Key: "k", Value: []byte("1"), Owner: "ada"}, 100)
	check(t, err)
	_, err = a.(belfry.RoomState).Set(t.Context(), meeting, belfry.Entry{Key: "foreignx", Value: []byte("2")}, 100)
	check(t, err)
	_, err = linkOf(a).depart()
	check(t, err)
	if away := server.Must("ZCARD", base+"away"); away != ":0" {
		t.Errorf("%s foreign members are still away", away)
	}
	entries, err := a.(belfry.RoomState).Entries(t.Context(), meeting)
	check(t, err)
	if len(entries) != 2 || !slices.Equal(present(t, a), []string{"ada"}) {
		t.Errorf("members %q, entries %+v", present(t, a), entries)
	}
	check(t, a.(belfry.Presence).Exit(t.Context(), visit("ada", 1), 0))
	if linkOf(a).Counts().Foreign == 0 {
		t.Error("nothing foreign was counted")
	}
}

// TestPresenceUnavailable: without Redis every call says so, within its time.
func TestPresenceUnavailable(t *testing.T) {
	server := redistest.Start(t)
	_, a := attach(t, open(t, Options{URL: server.URL(), Spool: Spool{Time: 300 * time.Millisecond}}), "a")
	enter(t, a, "ada", time.Minute)
	server.Kill()
	p, s := a.(belfry.Presence), a.(belfry.RoomState)
	_, enter := p.Enter(t.Context(), visit("bob", 1), belfry.Entrance{})
	_, members := p.Members(t.Context(), meeting)
	_, count := p.Count(t.Context(), meeting)
	_, set := s.Set(t.Context(), meeting, belfry.Entry{Key: "k", Value: []byte("1")}, 1)
	_, entries := s.Entries(t.Context(), meeting)
	for name, err := range map[string]error{
		"Enter": enter, "Exit": p.Exit(t.Context(), visit("ada", 1), 0), "Members": members, "Count": count, "Set": set, "Entries": entries,
	} {
		if !errors.Is(err, belfry.ErrUnavailable) {
			t.Errorf("%s without Redis: %v, want ErrUnavailable", name, err)
		}
	}
	server.Run()
	awaitPresent(t, a) // ada has left meanwhile, and bob was not let in
}
