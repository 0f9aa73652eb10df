package hub

import (
	"slices"

	"github.com/seed-09a96375/belfry"
)

// Len returns the number of members.
func (r *Rooms) Len() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.members.inUse()
}

// Count returns the number of members of the room.
func (r *Rooms) Count(name belfry.Room) int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	joined, _, owned := r.in(name)
	if owned {
		return len(joined) + 1
	}
	return len(joined)
}

// joined returns the number of members that have joined the room, the one whose
// own room it is not among them.
func (r *Rooms) joined(name belfry.Room) int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	joined, _, _ := r.in(name)
	return len(joined)
}

// Names returns the rooms that members have joined, in no order. Rooms that are
// only a member's own are not among them.
func (r *Rooms) Names() []belfry.Room {
	r.mu.RLock()
	defer r.mu.RUnlock()
	names := make([]belfry.Room, 0, r.rooms.inUse())
	for id := range r.rooms.len() {
		if rm := r.rooms.at(id); len(rm.slots) > 0 {
			names = append(names, rm.name)
		}
	}
	return names
}

// RoomsOf returns the rooms of the member, its own not among them, in no order.
func (r *Rooms) RoomsOf(s Slot) []belfry.Room {
	r.mu.RLock()
	defer r.mu.RUnlock()
	mem := r.at(s)
	if mem == nil {
		return nil
	}
	names := make([]belfry.Room, len(mem.rooms))
	for i, p := range mem.rooms {
		names[i] = r.rooms.at(p.room).name
	}
	return names
}

// Has reports whether the member is in the room.
func (r *Rooms) Has(s Slot, name belfry.Room) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	mem := r.at(s)
	if mem == nil {
		return false
	}
	if string(mem.who.MemberID()) == string(name) {
		return true
	}
	id, exists := r.byName.find(string(name), r.nameAt)
	return exists && mem.find(id) >= 0
}

// Lookup returns the member with this id.
func (r *Rooms) Lookup(id belfry.SocketID) (Member, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	row, ok := r.byID.find(string(id), r.idAt)
	if !ok {
		return nil, false
	}
	return r.members.at(row).who, true
}

// Select appends the members that t selects to dst, each once, in no order.
// They are those of one moment.
func (r *Rooms) Select(dst []Member, t belfry.Target) []Member {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if len(t.Except) == 0 {
		switch len(t.Rooms) {
		case 0:
			return r.appendAll(dst, nil)
		case 1:
			return r.appendRoom(dst, t.Rooms[0])
		}
	}
	seen := r.borrowMarks()
	defer r.marks.Put(seen)
	for _, name := range t.Except {
		r.mark(seen, name)
	}
	if len(t.Rooms) == 0 {
		return r.appendAll(dst, seen)
	}
	for _, name := range t.Rooms {
		dst = r.appendUnseen(dst, name, seen)
	}
	return dst
}

// Broadcast calls f once for every member that t selects at this moment, and
// returns how many they were when all calls have returned. No lock is held
// meanwhile. See Fanout.Each.
func (r *Rooms) Broadcast(t belfry.Target, f func(Member)) int {
	buf, _ := r.snapshots.Get().(*[]Member)
	if buf == nil {
		buf = new([]Member)
	}
	*buf = r.Select((*buf)[:0], t)
	n := len(*buf)
	r.fanout.Each(*buf, f)
	clear(*buf) // a spare snapshot must not keep members alive
	r.snapshots.Put(buf)
	return n
}

// in returns the rows of those who joined the room, and of the member whose own
// room it is. That one cannot be among the former.
func (r *Rooms) in(name belfry.Room) (joined []uint32, own uint32, owned bool) {
	if id, ok := r.byName.find(string(name), r.nameAt); ok {
		joined = r.rooms.at(id).slots
	}
	own, owned = r.byID.find(string(name), r.idAt)
	return joined, own, owned
}

func (r *Rooms) appendAll(dst []Member, except *marks) []Member {
	dst = slices.Grow(dst, r.members.inUse())
	for row := range r.members.len() {
		if m := r.members.at(row).who; m != nil && (except == nil || !except.has(row)) {
			dst = append(dst, m)
		}
	}
	return dst
}

func (r *Rooms) appendRoom(dst []Member, name belfry.Room) []Member {
	joined, own, owned := r.in(name)
	dst = slices.Grow(dst, len(joined)+1)
	for _, row := range joined {
		dst = append(dst, r.members.at(row).who)
	}
	if owned {
		dst = append(dst, r.members.at(own).who)
	}
	return dst
}

func (r *Rooms) appendUnseen(dst []Member, name belfry.Room, seen *marks) []Member {
	joined, own, owned := r.in(name)
	dst = slices.Grow(dst, len(joined)+1)
	for _, row := range joined {
		if seen.add(row) {
			dst = append(dst, r.members.at(row).who)
		}
	}
	if owned && seen.add(own) {
		dst = append(dst, r.members.at(own).who)
	}
	return dst
}

func (r *Rooms) mark(seen *marks, name belfry.Room) {
	joined, own, owned := r.in(name)
	for _, row := range joined {
		seen.add(row)
	}
	if owned {
		seen.add(own)
	}
}

// marks is a set of rows, one bit each.
type marks []uint64

// borrowMarks returns an empty set with room for every row there is.
func (r *Rooms) borrowMarks() *marks {
	m, _ := r.marks.Get().(*marks)
	if m == nil {
		m = new(marks)
	}
	words := int(r.members.len()+63) / 64
	*m = slices.Grow((*m)[:0], words)[:words]
	clear(*m)
	return m
}

func (m *marks) has(row uint32) bool { return (*m)[row/64]&(1<<(row%64)) != 0 }

// add reports whether row was not in the set before.
func (m *marks) add(row uint32) bool {
	word, bit := &(*m)[row/64], uint64(1)<<(row%64)
	if *word&bit != 0 {
		return false
	}
	*word |= bit
	return true
}
