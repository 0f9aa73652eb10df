package hub

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seed-09a96375/belfry"
)

// model is the simplest thing that could be right: a set of rooms per member.
type model struct {
	slots map[belfry.SocketID]Slot
	rooms map[belfry.SocketID]map[belfry.Room]bool
}

// selects is the definition of Target in words of sets.
func (m *model) selects(t belfry.Target) []string {
	ids := []string{}
	for id, in := range m.rooms {
		inAny := func(names []belfry.Room) bool {
			return slices.ContainsFunc(names, func(n belfry.Room) bool { return in[n] || string(n) == string(id) })
		}
		if (len(t.Rooms) == 0 || inAny(t.Rooms)) && !inAny(t.Except) {
			ids = append(ids, string(id))
		}
	}
	slices.Sort(ids)
	return ids
}

// step does what two bytes say, to both, and compares all that is returned.
func (m *model) step(t *testing.T, r *Rooms, op, arg byte) {
	id := belfry.SocketID(fmt.Sprint("id", arg%13))
	name := belfry.Room(fmt.Sprint("room", arg/13))
	if arg%11 == 0 {
		name = belfry.Room(fmt.Sprint("id", arg%7)) // some member's own
	}
	s, present := m.slots[id]
	switch op % 4 {
	case 0:
		slot, err := r.Add(&guest{id: id})
		if (err == nil) == present {
			t.Fatalf("add %s, present %v: %v", id, present, err)
		}
		if !present {
			m.slots[id], m.rooms[id] = slot, map[belfry.Room]bool{}
		}
	case 1:
		left := r.Remove(s)
		slices.Sort(left)
		if want := slices.Sorted(maps.Keys(m.rooms[id])); !slices.Equal(left, want) {
			t.Fatalf("remove %s: left %q, want %q", id, left, want)
		}
		delete(m.slots, id)
		delete(m.rooms, id)
	case 2:
		joined, created, _ := r.Join(s, name)
		news := present && !m.rooms[id][name] && string(id) != string(name)
		if joined != news || created != (news && m.joined(name) == 0) {
			t.Fatalf("join %s to %s: joined %v, created %v", id, name, joined, created)
		}
		if news {
			m.rooms[id][name] = true
		}
	case 3:
		left, deleted := r.Leave(s, name)
		if left != m.rooms[id][name] || deleted != (left && m.joined(name) == 1) {
			t.Fatalf("leave %s from %s: left %v, deleted %v", id, name, left, deleted)
		}
		delete(m.rooms[id], name)
	}
}

func (m *model) joined(name belfry.Room) (n int) {
	for _, in := range m.rooms {
		if in[name] {
			n++
		}
	}
	return n
}

// compare checks everything that can be asked.
func (m *model) compare(t *testing.T, r *Rooms, pick *rand.Rand) {
	names := map[belfry.Room]bool{}
	for id, in := range m.rooms {
		s := m.slots[id]
		of := r.RoomsOf(s)
		slices.Sort(of)
		if want := slices.Sorted(maps.Keys(in)); !slices.Equal(of, want) {
			t.Fatalf("rooms of %s: %q, want %q", id, of, want)
		}
		for n := range in {
			names[n] = true
			if !r.Has(s, n) {
				t.Fatalf("%s is not in %s", id, n)
			}
		}
		if got, ok := r.Lookup(id); !ok || got.MemberID() != id {
			t.Fatalf("lookup of %s failed", id)
		}
	}
	got := r.Names()
	slices.Sort(got)
	if want := slices.Sorted(maps.Keys(names)); !slices.Equal(got, want) {
		t.Fatalf("names %q, want %q", got, want)
	}
	if r.Len() != len(m.rooms) {
		t.Fatalf("Len %d, want %d", r.Len(), len(m.rooms))
	}
	all := append(got, "id0", "id1", "id2", "unknown")
	some := func() (names []belfry.Room) {
		for range pick.IntN(4) {
			names = append(names, all[pick.IntN(len(all))])
		}
		return names
	}
	for range 8 {
		target := belfry.Target{Rooms: some(), Except: some()}
		if got, want := selected(r, target), m.selects(target); !slices.Equal(got, want) {
			t.Fatalf("%+v selects %v, want %v", target, got, want)
		}
	}
	for _, name := range all {
		if got, want := r.Count(name), len(m.selects(belfry.Target{Rooms: rooms(name)})); got != want {
			t.Fatalf("count of %s: %d, want %d", name, got, want)
		}
	}
}

// FuzzRooms compares the index with the model after every few steps.
func FuzzRooms(f *testing.F) {
	f.Add([]byte{0, 1, 2, 1, 2, 14, 3, 1, 1, 1})
	f.Add([]byte{0, 1, 0, 2, 0, 3, 2, 27, 2, 28, 2, 29, 1, 2, 3, 27})
	f.Add([]byte{0, 0, 0, 4, 2, 11, 2, 121, 1, 4, 0, 4})
	f.Fuzz(func(t *testing.T, steps []byte) {
		var r Rooms
		m := &model{map[belfry.SocketID]Slot{}, map[belfry.SocketID]map[belfry.Room]bool{}}
		pick := rand.New(rand.NewPCG(1, 2))
		for i := 0; i+1 < min(len(steps), 400); i += 2 {
			m.step(t, &r, steps[i], steps[i+1])
			if i%16 == 0 {
				m.compare(t, &r, pick)
			}
		}
		m.compare(t, &r, pick)
	})
}

func TestRoomsAgainstModel(t *testing.T) {
	var r Rooms
	m := &model{map[belfry.SocketID]Slot{}, map[belfry.SocketID]map[belfry.Room]bool{}}
	pick := rand.New(rand.NewPCG(3, 4))
	for i := range 20_000 {
		op := byte(2 + pick.IntN(2))
		if pick.IntN(8) == 0 {
			op = byte(pick.IntN(2))
		}
		m.step(t, &r, op, byte(pick.IntN(256)))
		if i%100 == 0 {
			m.compare(t, &r, pick)
		}
	}
}
