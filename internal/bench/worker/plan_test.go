package worker

import (
	"strings"
	"testing"
)

func TestPlanCoversEveryClientOnce(t *testing.T) {
	for clients := 1; clients < 40; clients++ {
		for rooms := 1; rooms <= clients; rooms++ {
			verifyPlan(t, Plan{Clients: clients, Rooms: rooms, Publishers: clients / rooms})
		}
	}
}

func verifyPlan(t *testing.T, p Plan) {
	t.Helper()
	if err := p.Validate(); err != nil {
		t.Fatalf("%+v: %v", p, err)
	}
	next := 0
	for room := range p.Rooms {
		first, end := p.Bounds(room)
		if first != next || end <= first {
			t.Fatalf("%+v: room %d is %d to %d, want it to begin at %d", p, room, first, end, next)
		}
		for c := first; c < end; c++ {
			if got := p.Room(c); got != room {
				t.Fatalf("%+v: client %d is in room %d, want %d", p, c, got, room)
			}
		}
		for k := range p.Publishers {
			if got := p.Sender(room*p.Publishers + k); got != first+k {
				t.Fatalf("%+v: source %d of room %d is client %d, want %d", p, k, room, got, first+k)
			}
		}
		next = end
	}
	if next != p.Clients {
		t.Fatalf("%+v: the rooms hold %d clients", p, next)
	}
}

// TestApartCrossesServers: all senders are on the first server, all others on the
// rest, evenly.
func TestApartCrossesServers(t *testing.T) {
	p := Plan{Clients: 42, Rooms: 6, Publishers: 2, Apart: true}
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	sources := map[int]bool{}
	for n := range p.Sources() {
		sources[p.Sender(n)] = true
	}
	var on [4]int
	for c := range p.Clients {
		on[p.Target(c, len(on))]++
		if sources[c] == p.Listens(c) || sources[c] != (p.Target(c, len(on)) == 0) {
			t.Errorf("client %d: sends %v, listens %v, is on %d", c, sources[c], p.Listens(c), p.Target(c, len(on)))
		}
	}
	if on != [4]int{12, 10, 10, 10} {
		t.Errorf("clients on each server: %v", on)
	}
}

func TestPlanValidate(t *testing.T) {
	for want, p := range map[string]Plan{
		"clients is 0":     {Clients: 0, Rooms: 1},
		"rooms is 0":       {Clients: 1, Rooms: 0},
		"rooms is 3":       {Clients: 2, Rooms: 3},
		"publishers is 3":  {Clients: 5, Rooms: 2, Publishers: 3},
		"publishers is -1": {Clients: 5, Rooms: 2, Publishers: -1},
		"clients is 5":     {Clients: 5, Rooms: 2, Publishers: 2, Apart: true},
	} {
		if err := p.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want %q", p, err, want)
		}
	}
}
