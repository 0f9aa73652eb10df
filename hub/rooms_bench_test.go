package hub

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/seed-09a96375/belfry"
)

const (
	benchMembers = 100_000
	roomsEach    = 10
)

// filled is a Rooms of 100,000 members, each in 10 of n rooms.
type filled struct {
	Rooms
	slots []Slot
	names []belfry.Room
}

func newFilled(b *testing.B, n int) *filled {
	b.Helper()
	f := &filled{names: make([]belfry.Room, n), slots: make([]Slot, benchMembers)}
	for i := range f.names {
		f.names[i] = belfry.Room(fmt.Sprintf("room-%06d", i))
	}
	for i := range f.slots {
		f.slots[i] = mustAdd(b, &f.Rooms, benchID(i))
	}
	return f
}

// benchID looks like a real one: 20 characters.
func benchID(i int) belfry.SocketID { return belfry.SocketID(fmt.Sprintf("Zm9vYmFyYmF6-%06dA", i)) }

func (f *filled) fill(b *testing.B) {
	pick := rand.New(rand.NewPCG(1, 2))
	for _, s := range f.slots {
		for range roomsEach {
			mustJoin(b, &f.Rooms, s, f.names[pick.IntN(len(f.names))])
		}
	}
}

func forRoomCounts(b *testing.B, run func(b *testing.B, f *filled)) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprint("rooms=", n), func(b *testing.B) {
			f := newFilled(b, n)
			f.fill(b)
			b.ReportAllocs()
			b.ResetTimer()
			run(b, f)
		})
	}
}

func BenchmarkJoin(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprint("rooms=", n), func(b *testing.B) {
			f := newFilled(b, n)
			pick := rand.New(rand.NewPCG(1, 2))
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				if i%(benchMembers*roomsEach) == benchMembers*roomsEach-1 {
					b.StopTimer()
					f = newFilled(b, n)
					b.StartTimer()
				}
				_, _, _ = f.Join(f.slots[i%benchMembers], f.names[pick.IntN(n)])
			}
		})
	}
}

func BenchmarkLeaveJoin(b *testing.B) {
	forRoomCounts(b, func(b *testing.B, f *filled) {
		pick := rand.New(rand.NewPCG(3, 4))
		for b.Loop() {
			s := f.slots[pick.IntN(benchMembers)]
			f.Leave(s, f.names[f.Rooms.at(s).rooms[0].room%uint32(len(f.names))])
			_, _, _ = f.Join(s, f.names[pick.IntN(len(f.names))])
		}
	})
}

// BenchmarkDisconnect removes a member of 10 rooms and puts it back outside the
// measured time.
func BenchmarkDisconnect(b *testing.B) {
	forRoomCounts(b, func(b *testing.B, f *filled) {
		pick := rand.New(rand.NewPCG(3, 4))
		order := pick.Perm(benchMembers)
		for i := range b.N {
			if i%benchMembers == benchMembers-1 {
				b.StopTimer()
				f = newFilled(b, len(f.names))
				f.fill(b)
				b.StartTimer()
			}
			f.Remove(f.slots[order[i%benchMembers]])
		}
	})
}

func BenchmarkSelect(b *testing.B) {
	forRoomCounts(b, func(b *testing.B, f *filled) {
		pick := rand.New(rand.NewPCG(3, 4))
		var dst []Member
		members := 0
		for b.Loop() {
			dst = f.Select(dst[:0], belfry.Target{Rooms: []belfry.Room{f.names[pick.IntN(len(f.names))]}})
			members += len(dst)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(members), "ns/member")
	})
}

// BenchmarkSelectAll takes a snapshot of the whole namespace but one member.
func BenchmarkSelectAll(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint("members=", n), func(b *testing.B) {
			var r Rooms
			for i := range n {
				mustAdd(b, &r, benchID(i))
			}
			var dst []Member
			target := belfry.Target{Except: []belfry.Room{belfry.Room(benchID(7))}}
			for b.Loop() {
				dst = r.Select(dst[:0], target)
			}
		})
	}
}

func BenchmarkLookup(b *testing.B) {
	var r Rooms
	ids := make([]belfry.SocketID, benchMembers)
	for i := range ids {
		ids[i] = benchID(i)
		mustAdd(b, &r, ids[i])
	}
	i := 0
	for b.Loop() {
		_, _ = r.Lookup(ids[i%benchMembers])
		i += 7919
	}
}

// heap returns the bytes in use, garbage gone.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkRoomsMemory reports bytes a member without rooms, and bytes a
// membership, rooms and their names included.
func BenchmarkRoomsMemory(b *testing.B) {
	for _, n := range []int{1000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint("rooms=", n), func(b *testing.B) {
			guests := make([]guest, benchMembers)
			for i := range guests {
				guests[i].id = benchID(i)
			}
			for b.Loop() {
				f := &filled{names: make([]belfry.Room, n), slots: make([]Slot, benchMembers)}
				for i := range f.names {
					f.names[i] = belfry.Room(fmt.Sprintf("room-%06d", i))
				}
				start := heap()
				for i := range f.slots {
					f.slots[i], _ = f.Add(&guests[i])
				}
				added := heap()
				f.fill(b)
				joined := heap()
				b.ReportMetric(float64(added-start)/benchMembers, "B/member")
				b.ReportMetric(float64(joined-added)/(benchMembers*roomsEach), "B/membership")
				runtime.KeepAlive(f)
				runtime.KeepAlive(guests)
			}
		})
	}
}

// BenchmarkIndexMemory compares the index with the map that it stands for.
func BenchmarkIndexMemory(b *testing.B) {
	keys := make([]string, benchMembers)
	for i := range keys {
		keys[i] = string(benchID(i))
	}
	b.Run("index", func(b *testing.B) {
		for b.Loop() {
			start := heap()
			var x index
			for i, k := range keys {
				x.insert(k, uint32(i))
			}
			b.ReportMetric(float64(heap()-start)/benchMembers, "B/entry")
			runtime.KeepAlive(x.cells)
		}
	})
	b.Run("map", func(b *testing.B) {
		for b.Loop() {
			start := heap()
			m := map[string]uint32{}
			for i, k := range keys {
				m[k] = uint32(i)
			}
			b.ReportMetric(float64(heap()-start)/benchMembers, "B/entry")
			runtime.KeepAlive(m)
		}
	})
}

// BenchmarkIndexFind compares the two at looking up.
func BenchmarkIndexFind(b *testing.B) {
	rows := make([]room, benchMembers)
	var x index
	m := map[string]uint32{}
	keys := make([]string, benchMembers)
	for i := range rows {
		keys[i] = fmt.Sprintf("room-%06d", i)
		rows[i].name = belfry.Room(fmt.Sprintf("room-%06d", i))
		x.insert(keys[i], uint32(i))
		m[string(rows[i].name)] = uint32(i)
	}
	b.Run("index", func(b *testing.B) {
		for i := 0; b.Loop(); i += 7919 {
			_, _ = x.find(keys[i%benchMembers], func(row uint32) string { return string(rows[row].name) })
		}
	})
	b.Run("map", func(b *testing.B) {
		for i := 0; b.Loop(); i += 7919 {
			_ = m[keys[i%benchMembers]]
		}
	})
}
