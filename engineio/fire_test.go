package engineio

import (
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/seed-09a96375/belfry/poll"
)

// checkIDs says what is wrong with received ids: each of 0..n-1 must be there
// once, in order.
func checkIDs(got []int, n int) error {
	var faults []error
	seen, last := make(map[int]int), -1
	for _, id := range got {
		if seen[id]++; seen[id] > 1 {
			faults = append(faults, fmt.Errorf("%d is doubled", id))
		} else if id < last {
			faults = append(faults, fmt.Errorf("%d comes after %d", id, last))
		}
		last = max(last, id)
		if id < 0 || id >= n {
			faults = append(faults, fmt.Errorf("%d was never sent", id))
		}
	}
	for id := range n {
		if seen[id] == 0 {
			faults = append(faults, fmt.Errorf("%d is lost", id))
		}
	}
	return errors.Join(faults...)
}

func TestCheckIDs(t *testing.T) {
	for _, c := range []struct {
		got  []int
		want string
	}{
		{[]int{0, 1, 2, 3}, ""},
		{[]int{0, 1, 3}, "2 is lost"},
		{[]int{0, 1, 1, 2, 3}, "1 is doubled"},
		{[]int{0, 2, 1, 3}, "1 comes after 2"},
		{[]int{0, 1, 2, 3, 4}, "4 was never sent"},
	} {
		if err := checkIDs(c.got, 4); fmt.Sprint(err) != c.want && (err != nil || c.want != "") {
			t.Errorf("%v: %v, want %q", c.got, err, c.want)
		}
	}
}

// crossfire is one session that is upgraded while messages go both ways.
type crossfire struct {
	ts       *testServer
	messages int
	options  SendOptions
}

// run returns what the client got and what the server got.
func (f *crossfire) run() (down, up []int) {
	t := f.ts.t
	p := openPolling(f.ts, 4)
	s := f.ts.owner(p.link.(*pollLink).sid)
	half := make(chan struct{}) // the upgrade begins in the midst of it
	var senders sync.WaitGroup
	senders.Go(func() {
		for i := range f.messages {
			if i == f.messages/4 {
				close(half)
			}
			if err := s.Send(text(strconv.Itoa(i)), f.options); err != nil && !errors.Is(err, poll.ErrDropped) {
				t.Errorf("send: %v", err)
			}
			runtime.Gosched()
		}
	})
	senders.Go(func() {
		for i := range f.messages / 8 {
			p.send(strconv.Itoa(i))
		}
		p.send("end")
	})
	<-half
	p.upgrade(f.ts)
	senders.Wait()
	if err := s.Send(text("end"), SendOptions{}); err != nil {
		t.Errorf("send: %v", err)
	}
	down, up = collect(t, p.incoming), collect(t, s.messages)
	p.link.close()
	s.wantClosed(t, ReasonTransportClose)
	return down, up
}

func collect(t testing.TB, c <-chan string) (ids []int) {
	for {
		m := receive(t, c, "a numbered message")
		if m == "end" {
			return ids
		}
		id, err := strconv.Atoi(m)
		if err != nil {
			t.Errorf("message %q", m)
		}
		ids = append(ids, id)
	}
}

// owner finds the layer above a session that began lately.
func (ts *testServer) owner(sid string) *testSession {
	s := ts.find(sid)
	return s.recv.(*testSession)
}

// TestUpgradesUnderFire: no upgrade loses, doubles or reorders a message, either
// way.
func TestUpgradesUnderFire(t *testing.T) {
	sessions := 500
	if testing.Short() {
		sessions = 50
	}
	f := &crossfire{ts: serve(t, Options{}, nil), messages: 200}
	work := make(chan int)
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for i := range work {
				down, up := f.run()
				if err := checkIDs(down, f.messages); err != nil {
					t.Errorf("session %d, to the client: %v", i, err)
				}
				if err := checkIDs(up, f.messages/8); err != nil {
					t.Errorf("session %d, to the server: %v", i, err)
				}
			}
		})
	}
	for i := range sessions {
		work <- i
	}
	close(work)
	workers.Wait()
}

// TestFireFindsLoss is the negative control: volatile messages may be dropped
// while a session is upgraded, and then the check fails.
func TestFireFindsLoss(t *testing.T) {
	f := &crossfire{ts: serve(t, Options{}, nil), messages: 200, options: SendOptions{Volatile: true}}
	for range 50 {
		down, _ := f.run()
		if err := checkIDs(down, f.messages); err != nil {
			if !strings.Contains(err.Error(), "is lost") {
				t.Errorf("volatile messages are not only lost: %v", err)
			}
			return
		}
	}
	t.Error("no loss in 50 upgrades with volatile messages")
}
