package hub

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/seed-09a96375/belfry"
)

// guest is a Member that the index alone needs.
type guest struct {
	Member
	id belfry.SocketID
}

func (g *guest) MemberID() belfry.SocketID { return g.id }

func mustAdd(t testing.TB, r *Rooms, id belfry.SocketID) Slot {
	t.Helper()
	s, err := r.Add(&guest{id: id})
	if err != nil {
		t.Fatalf("add %s: %v", id, err)
	}
	return s
}

func mustJoin(t testing.TB, r *Rooms, s Slot, names ...belfry.Room) {
	t.Helper()
	for _, name := range names {
		if _, _, err := r.Join(s, name); err != nil {
			t.Fatalf("join %s: %v", name, err)
		}
	}
}

// selected returns the sorted ids of the members that t selects.
func selected(r *Rooms, t belfry.Target) []string {
	ids := []string{}
	for _, m := range r.Select(nil, t) {
		ids = append(ids, string(m.MemberID()))
	}
	slices.Sort(ids)
	return ids
}

func rooms(names ...belfry.Room) []belfry.Room { return names }

func TestJoinAndLeaveReportWhatChanged(t *testing.T) {
	var r Rooms
	a, b := mustAdd(t, &r, "a"), mustAdd(t, &r, "b")
	type result struct {
		changed, edge bool
		err           error
	}
	join := func(s Slot, name belfry.Room) result { j, c, err := r.Join(s, name); return result{j, c, err} }
	leave := func(s Slot, name belfry.Room) result { l, d := r.Leave(s, name); return result{l, d, nil} }
	steps := []struct {
		what string
		got  result
		want result
	}{
		{"the first joins", join(a, "x"), result{true, true, nil}},
		{"joins again", join(a, "x"), result{false, false, nil}},
		{"the second joins", join(b, "x"), result{true, false, nil}},
		{"joins its own", join(a, "a"), result{false, false, nil}},
		{"joins no name", join(a, ""), result{false, false, ErrEmptyRoom}},
		{"no member joins", join(0, "x"), result{false, false, ErrNoMember}},
		{"leaves an unknown room", leave(a, "y"), result{false, false, nil}},
		{"leaves its own", leave(a, "a"), result{false, false, nil}},
		{"the first leaves", leave(a, "x"), result{true, false, nil}},
		{"leaves again", leave(a, "x"), result{false, false, nil}},
		{"the last leaves", leave(b, "x"), result{true, true, nil}},
		{"no member leaves", leave(0, "x"), result{false, false, nil}},
	}
	for _, s := range steps {
		if s.got != s.want {
			t.Errorf("%s: got %+v, want %+v", s.what, s.got, s.want)
		}
	}
	if names := r.Names(); len(names) != 0 {
		t.Errorf("rooms left over: %q", names)
	}
}

func TestSelect(t *testing.T) {
	var r Rooms
	a, b, c := mustAdd(t, &r, "a"), mustAdd(t, &r, "b"), mustAdd(t, &r, "c")
	mustAdd(t, &r, "d")
	mustJoin(t, &r, a, "x", "y")
	mustJoin(t, &r, b, "x", "c") // b is in the room of c's id
	mustJoin(t, &r, c, "y")
	tests := []struct {
		name string
		t    belfry.Target
		want []string
	}{
		{"all", belfry.Target{}, []string{"a", "b", "c", "d"}},
		{"all but one", belfry.Target{Except: rooms("a")}, []string{"b", "c", "d"}},
		{"all but a room", belfry.Target{Except: rooms("x")}, []string{"c", "d"}},
		{"all but unknown", belfry.Target{Except: rooms("z")}, []string{"a", "b", "c", "d"}},
		{"room", belfry.Target{Rooms: rooms("x")}, []string{"a", "b"}},
		{"union", belfry.Target{Rooms: rooms("x", "y")}, []string{"a", "b", "c"}},
		{"same room twice", belfry.Target{Rooms: rooms("x", "x")}, []string{"a", "b"}},
		{"room and own id of a member of it", belfry.Target{Rooms: rooms("x", "a")}, []string{"a", "b"}},
		{"room but one", belfry.Target{Rooms: rooms("x"), Except: rooms("a")}, []string{"b"}},
		{"room but itself", belfry.Target{Rooms: rooms("x"), Except: rooms("x")}, []string{}},
		{"own id", belfry.Target{Rooms: rooms("d")}, []string{"d"}},
		{"own id with a guest", belfry.Target{Rooms: rooms("c")}, []string{"b", "c"}},
		{"but own id with a guest", belfry.Target{Except: rooms("c")}, []string{"a", "d"}},
		{"unknown", belfry.Target{Rooms: rooms("z")}, []string{}},
		{"empty name", belfry.Target{Rooms: rooms("")}, []string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := selected(&r, tt.t); !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
	if n := r.Count("c"); n != 2 {
		t.Errorf("Count of c's own room with a guest: %d, want 2", n)
	}
}

func TestSelectAppends(t *testing.T) {
	var r Rooms
	mustAdd(t, &r, "a")
	first := &guest{id: "first"}
	got := r.Select([]Member{first}, belfry.Target{})
	if len(got) != 2 || got[0] != Member(first) {
		t.Errorf("got %v", got)
	}
}

func TestRemovedSlotStaysDead(t *testing.T) {
	var r Rooms
	a := mustAdd(t, &r, "a")
	mustJoin(t, &r, a, "x", "y")
	left := r.Remove(a)
	slices.Sort(left)
	if !slices.Equal(left, rooms("x", "y")) {
		t.Errorf("Remove returned %q", left)
	}
	b := mustAdd(t, &r, "b") // takes over the row
	if _, _, err := r.Join(a, "x"); !errors.Is(err, ErrNoMember) {
		t.Errorf("Join of a removed member: %v", err)
	}
	if again := r.Remove(a); again != nil {
		t.Errorf("second Remove: %q", again)
	}
	if r.Has(a, "a") || r.RoomsOf(a) != nil {
		t.Error("a removed member has rooms")
	}
	if got := r.RoomsOf(b); len(got) != 0 {
		t.Errorf("the next member inherited %q", got)
	}
	if _, ok := r.Lookup("a"); ok {
		t.Error("a removed member is found")
	}
	if r.Len() != 1 {
		t.Errorf("Len is %d, want 1", r.Len())
	}
}

func TestDuplicateID(t *testing.T) {
	var r Rooms
	a := mustAdd(t, &r, "a")
	if _, err := r.Add(&guest{id: "a"}); !errors.Is(err, ErrDuplicateID) {
		t.Fatalf("second add: %v", err)
	}
	r.Remove(a)
	mustAdd(t, &r, "a")
}

func TestMaxPerMember(t *testing.T) {
	var r Rooms
	r.Init(RoomsOptions{MaxPerMember: 2})
	a := mustAdd(t, &r, "a")
	mustJoin(t, &r, a, "x", "y", "a")
	if _, _, err := r.Join(a, "z"); !errors.Is(err, ErrTooManyRooms) {
		t.Fatalf("third room: %v", err)
	}
	if r.Count("z") != 0 || len(r.Names()) != 2 {
		t.Error("the refused room exists")
	}
	if _, _, err := r.Join(a, "x"); err != nil {
		t.Errorf("joining again at the limit: %v", err)
	}
	r.Leave(a, "x")
	mustJoin(t, &r, a, "z")
}

func TestHooksComeInOrder(t *testing.T) {
	var r Rooms
	var got []string
	note := func(what string) func(belfry.Room) {
		return func(name belfry.Room) { got = append(got, what+" "+string(name)) }
	}
	noteID := func(what string) func(belfry.Room, belfry.SocketID) {
		return func(name belfry.Room, id belfry.SocketID) {
			got = append(got, what+" "+string(name)+" "+string(id))
		}
	}
	r.Init(RoomsOptions{Hooks: Hooks{note("create"), noteID("join"), noteID("leave"), note("delete")}})
	a, b := mustAdd(t, &r, "a"), mustAdd(t, &r, "b")
	mustJoin(t, &r, a, "x", "x", "a")
	mustJoin(t, &r, b, "x")
	r.Leave(a, "x")
	r.Remove(b)
	want := []string{"create x", "join x a", "join x b", "leave x a", "leave x b", "delete x"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestHookMayCallBack(t *testing.T) {
	var r Rooms
	var a Slot
	var order []string
	r.Init(RoomsOptions{Hooks: Hooks{
		CreateRoom: func(name belfry.Room) {
			order = append(order, "create "+string(name))
			if name == "x" {
				mustJoin(t, &r, a, "y")
			}
		},
		JoinRoom: func(name belfry.Room, _ belfry.SocketID) { order = append(order, "join "+string(name)) },
	}})
	a = mustAdd(t, &r, "a")
	mustJoin(t, &r, a, "x")
	want := []string{"create x", "join x", "create y", "join y"}
	if !slices.Equal(order, want) {
		t.Errorf("got %q, want %q", order, want)
	}
}

func TestPanickingHookDoesNotSilenceTheRest(t *testing.T) {
	var r Rooms
	var told []belfry.Room
	r.Init(RoomsOptions{Hooks: Hooks{CreateRoom: func(name belfry.Room) {
		if name == "bad" {
			panic("hook")
		}
		told = append(told, name)
	}}})
	a := mustAdd(t, &r, "a")
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_, _, _ = r.Join(a, "bad")
	}()
	mustJoin(t, &r, a, "good")
	if !slices.Equal(told, rooms("good")) {
		t.Errorf("told %q", told)
	}
}

// TestConcurrentChanges joins, leaves and selects from several goroutines; the
// hooks, replayed, must tell the same story as the index.
func TestConcurrentChanges(t *testing.T) {
	var r Rooms
	told := map[belfry.Room]map[belfry.SocketID]bool{}
	r.Init(RoomsOptions{Hooks: Hooks{
		CreateRoom: func(name belfry.Room) {
			if told[name] != nil {
				t.Errorf("room %s was created twice", name)
			}
			told[name] = map[belfry.SocketID]bool{}
		},
		JoinRoom: func(name belfry.Room, id belfry.SocketID) {
			if told[name][id] {
				t.Errorf("%s joined %s twice", id, name)
			}
			told[name][id] = true
		},
		LeaveRoom: func(name belfry.Room, id belfry.SocketID) {
			if !told[name][id] {
				t.Errorf("%s left %s where it was not", id, name)
			}
			delete(told[name], id)
		},
		DeleteRoom: func(name belfry.Room) {
			if len(told[name]) != 0 {
				t.Errorf("room %s ended with members %v", name, told[name])
			}
			delete(told, name)
		},
	}})
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 200 {
				s := mustAdd(t, &r, belfry.SocketID(fmt.Sprintf("m%d-%d", g, i)))
				mustJoin(t, &r, s, "all", belfry.Room(fmt.Sprint("room", i%7)))
				r.Select(nil, belfry.Target{Rooms: rooms("all", "room3"), Except: rooms("room4")})
				if i%3 == 0 {
					r.Leave(s, "all")
				}
				if i%2 == 0 {
					r.Remove(s)
				}
			}
		})
	}
	wg.Wait()
	if len(told) != len(r.Names()) {
		t.Errorf("hooks told of %d rooms, the index has %d", len(told), len(r.Names()))
	}
	for name, ids := range told {
		if r.Count(name) != len(ids) {
			t.Errorf("room %s: hooks told of %d members, the index has %d", name, len(ids), r.Count(name))
		}
	}
}
