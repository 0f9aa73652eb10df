package hub

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/seed-09a96375/belfry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// counter is a Member that counts its calls.
type counter struct {
	guest
	calls atomic.Int32
}

func counters(n int) []Member {
	members := make([]Member, n)
	for i := range members {
		members[i] = &counter{guest: guest{id: belfry.SocketID(fmt.Sprint("m", i))}}
	}
	return members
}

func TestEachCallsEveryMemberOnce(t *testing.T) {
	for _, n := range []int{0, 1, 2, 31, 32, 33, 64, 65, 96, 1000, 5000} {
		for _, workers := range []int{0, 1, 2, 3, 8} {
			f := Fanout{Workers: workers, Inline: 1}
			members := counters(n)
			f.Each(members, func(m Member) { m.(*counter).calls.Add(1) })
			for i, m := range members {
				if c := m.(*counter).calls.Load(); c != 1 {
					t.Fatalf("%d members, %d workers: member %d was called %d times", n, workers, i, c)
				}
			}
		}
	}
}

// TestEachUsesOtherProcessors holds every call until a second goroutine is in
// one: an Each that did all by itself would never end.
func TestEachUsesOtherProcessors(t *testing.T) {
	f := Fanout{Workers: 2}
	var inside sync.WaitGroup
	inside.Add(2)
	members := counters(2 * chunk * 2)
	first := func(i int) bool { return i == 0 || i == chunk }
	index := map[Member]int{}
	for i, m := range members {
		index[m] = i
	}
	f.Each(members, func(m Member) {
		if first(index[m]) {
			inside.Done()
			inside.Wait()
		}
	})
}

func TestEachRunsSmallSetsInTheCaller(t *testing.T) {
	f := Fanout{Workers: 8, Inline: 10}
	calls := 0 // not atomic: the race detector would tell
	f.Each(counters(10), func(Member) { calls++ })
	if calls != 10 {
		t.Errorf("%d calls", calls)
	}
}

func TestEachPassesPanicsOn(t *testing.T) {
	cause := errors.New("broken member")
	for _, n := range []int{1, 500} {
		f := Fanout{Workers: 4}
		members := counters(n)
		got := func() (v any) {
			defer func() { v = recover() }()
			f.Each(members, func(m Member) {
				if m == members[n-1] {
					panic(cause)
				}
			})
			return nil
		}()
		err, ok := got.(error)
		if !ok || !errors.Is(err, cause) {
			t.Errorf("%d members: recovered %v", n, got)
		}
		done := atomic.Int32{}
		f.Each(members, func(Member) { done.Add(1) }) // it still works
		if int(done.Load()) != n {
			t.Errorf("%d members: %d calls after the panic", n, done.Load())
		}
	}
}

// TestHelperPanicTellsWhere makes a helper panic, not the caller of Each.
func TestHelperPanicTellsWhere(t *testing.T) {
	f := Fanout{Workers: 2}
	helperIn := make(chan struct{})
	defer func() {
		err, ok := recover().(error)
		if !ok || !strings.Contains(err.Error(), "TestHelperPanicTellsWhere") {
			t.Errorf("recovered %v", err)
		}
	}()
	f.Each(counters(500), func(Member) {
		if strings.Contains(string(debug.Stack()), "(*job).lead") {
			<-helperIn
			return
		}
		close(helperIn)
		panic("broken member")
	})
}

func TestBroadcastAllocatesNothing(t *testing.T) {
	if raceEnabled() {
		t.Skip("sync.Pool drops at random under the race detector")
	}
	var r Rooms
	for i := range 10_000 {
		mustJoin(t, &r, mustAdd(t, &r, belfry.SocketID(fmt.Sprint("m", i))), "all", belfry.Room(fmt.Sprint("r", i%2)))
	}
	deliver := func(Member) {}
	for name, target := range map[string]belfry.Target{
		"room":       {Rooms: rooms("all")},
		"namespace":  {},
		"own":        {Rooms: rooms("m7")},
		"all but me": {Rooms: rooms("all"), Except: rooms("m7")},
		"union":      {Rooms: rooms("r0", "r1")},
	} {
		// Helpers cost an allocation or so each; members cost none.
		if n := testing.AllocsPerRun(100, func() { r.Broadcast(target, deliver) }); n > 4 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func TestBroadcastKeepsNoMember(t *testing.T) {
	var r Rooms
	s := mustAdd(t, &r, "a")
	if n := r.Broadcast(belfry.Target{}, func(Member) {}); n != 1 {
		t.Errorf("%d members, want 1", n)
	}
	r.Remove(s)
	buf, _ := r.snapshots.Get().(*[]Member)
	if buf == nil {
		t.Skip("the pool kept nothing")
	}
	for _, m := range (*buf)[:cap(*buf)] {
		if m != nil {
			t.Error("the spare snapshot keeps a member alive")
		}
	}
}

// TestBroadcastWhileMembersChange lets members leave from within the call.
func TestBroadcastWhileMembersChange(t *testing.T) {
	var r Rooms
	slots := sync.Map{}
	for i := range 300 {
		id := belfry.SocketID(fmt.Sprint("m", i))
		slots.Store(id, mustAdd(t, &r, id))
	}
	n := r.Broadcast(belfry.Target{}, func(m Member) {
		s, _ := slots.Load(m.MemberID())
		r.Remove(s.(Slot))
	})
	if n != 300 || r.Len() != 0 {
		t.Errorf("%d called, %d left", n, r.Len())
	}
}
