package socketio_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/internal/fronttest"
	"github.com/seed-09a96375/belfry/socketio"
)

func TestRecovery(t *testing.T) { onEachBus(t, testRecovery) }

func testRecovery(t *testing.T, cluster clusterFunc) {
	nodes := cluster(t, 2, socketio.Options{Recovery: &socketio.Recovery{}})
	a, b := nodes[0], nodes[1]
	type state struct{ X int }
	recovered := make(chan bool, 10)
	b.OnConnect(func(_ ctx, s *socketio.Socket) { recovered <- s.Recovered() })

	c := dial(t, a)
	id, pid := c.connectSession("/", "")
	if len(pid) != 20 {
		t.Fatalf("session id is %q", pid)
	}
	s, _ := a.Socket(id)
	s.SetData(state{7})
	mustEmit(t, a.To("late").Emit(bg, "before-join"))
	if err := s.Join("room", "late"); err != nil {
		t.Fatal(err)
	}
	mustEmit(t, s.Emit(bg, "one", 1))
	last := offsetOf(t, c.read())
	_ = c.ws.CloseNow()
	fronttest.Eventually(t, "the node notices", func() bool { return a.Len() == 0 })

	mustEmit(t, b.To("room").Emit(bg, "m1", []byte{1}))
	mustEmit(t, a.Volatile().Emit(bg, "volatile"))
	mustEmit(t, a.To("other").Emit(bg, "other"))
	mustEmit(t, a.Except("room").Emit(bg, "except"))
	mustEmit(t, b.To(belfry.Room(id)).Emit(bg, "m2"))
	mustEmit(t, b.Emit(bg, "m3"))

	c = dial(t, b)
	claim := fmt.Sprintf(`40{"pid":%q,"offset":%q}`, pid, last)
	c.send(claim)
	if sid, again := c.hello("40", c.read()); sid != id || again != pid {
		t.Errorf("resumed as %s %s, want %s %s", sid, again, id, pid)
	}
	var got []string
	for range 3 {
		p := c.read()
		if strings.HasPrefix(p, "451-") {
			if att := c.read(); att != "bin:\x01" {
				t.Errorf("attachment is %q", att)
			}
			p = "42" + p[4:]
		}
		got = append(got, eventName(p))
	}
	if names := strings.Join(got, " "); names != "m1 m2 m3" {
		t.Errorf("replayed %q", names)
	}
	if !<-recovered {
		t.Error("Recovered is false")
	}
	s, _ = b.Socket(id)
	if d, ok := socketio.Data[state](s); !ok || d.X != 7 {
		t.Errorf("data is %+v %v", d, ok)
	}
	mustEmit(t, a.To("room").Emit(bg, "live"))
	if p := c.read(); eventName(p) != "live" {
		t.Errorf("got %q", p)
	}

	// A session is resumed once: its client is there and says so.
	c.pump()
	c2 := dial(t, a)
	c2.send(claim)
	if sid, _ := c2.hello("40", c2.read()); sid == id {
		t.Error("session was resumed twice")
	}
}

func TestRecoveryWithoutAnyEvent(t *testing.T) { onEachBus(t, testRecoveryWithoutAnyEvent) }

func testRecoveryWithoutAnyEvent(t *testing.T, cluster clusterFunc) {
	n := cluster(t, 1, socketio.Options{Recovery: &socketio.Recovery{}})[0]
	mustEmit(t, n.Emit(bg, "before"))
	c := dial(t, n)
	id, pid := c.connectSession("/", "")
	_ = c.ws.CloseNow()
	fronttest.Eventually(t, "the node notices", func() bool { return n.Len() == 0 })
	mustEmit(t, n.Emit(bg, "missed"))
	c = dial(t, n)
	c.send(fmt.Sprintf(`40{"pid":%q}`, pid))
	if sid, _ := c.hello("40", c.read()); sid != id {
		t.Error("not resumed")
	}
	if p := c.read(); eventName(p) != "missed" {
		t.Errorf("got %q", p)
	}
}

// The bus may keep a log for other nodes: who has no recovery does not see it.
func TestNoOffsetsWithoutRecovery(t *testing.T) {
	n := newNode(t, socketio.Options{Bus: memory.New(memory.Options{Log: &memory.Log{}})})
	c, _ := connect(t, n)
	mustEmit(t, n.Emit(bg, "x", 1))
	c.want(`42["x",1]`)
}

func TestRecoveryRefused(t *testing.T) { onEachBus(t, testRecoveryRefused) }

func testRecoveryRefused(t *testing.T, cluster clusterFunc) {
	nodes := cluster(t, 1, socketio.Options{Recovery: &socketio.Recovery{}})
	n := nodes[0]
	for name, auth := range map[string]string{
		"unknown session":  `{"pid":"AAAAAAAAAAAAAAAAAAAA","offset":"x-1"}`,
		"pid is a number":  `{"pid":1,"offset":"x-1"}`,
		"no pid":           `{"offset":"x-1"}`,
		"offset is object": `{"pid":"AAAAAAAAAAAAAAAAAAAA","offset":{}}`,
	} {
		c := dial(t, n)
		if _, pid := c.connectSession("/", auth); pid == "" {
			t.Errorf("%s: no new session", name)
		}
	}
	c := dial(t, n)
	id, pid := c.connectSession("/", "")
	c.send("41") // left on purpose: nothing to resume
	fronttest.Eventually(t, "left", func() bool { return n.Len() == 4 })
	c = dial(t, n)
	if again, _ := c.connectSession("/", fmt.Sprintf(`{"pid":%q}`, pid)); again == id {
		t.Error("a session that was left is resumed")
	}
	// An offset of another log is not trusted.
	id, pid = c2(t, n)
	c = dial(t, n)
	if again, _ := c.connectSession("/", fmt.Sprintf(`{"pid":%q,"offset":"other-1"}`, pid)); again == id {
		t.Error("an unknown offset was accepted")
	}
}

// c2 connects, loses the connection and returns what it had.
func c2(t *testing.T, n *node) (belfry.SocketID, string) {
	t.Helper()
	before := n.Len()
	c := dial(t, n)
	id, pid := c.connectSession("/", "")
	_ = c.ws.CloseNow()
	fronttest.Eventually(t, "the node notices", func() bool { return n.Len() == before })
	return id, pid
}

// A client that goes away again while it is being resumed can still come back.
func TestRecoveryInterrupted(t *testing.T) {
	n := newNode(t, socketio.Options{Recovery: &socketio.Recovery{RunMiddlewares: true}})
	c := dial(t, n)
	id, pid := c.connectSession("/", "")
	_ = c.ws.CloseNow()
	fronttest.Eventually(t, "the node notices", func() bool { return n.Len() == 0 })
	mustEmit(t, n.Emit(bg, "missed"))

	block, entered := make(chan struct{}), make(chan struct{}, 1000)
	n.Use(func(ctx, *socketio.Socket) error {
		entered <- struct{}{}
		<-block
		return nil
	})
	claim := fmt.Sprintf(`40{"pid":%q}`, pid)
	c = dial(t, n)
	c.send(claim)
	<-entered
	_ = c.ws.CloseNow()
	fronttest.Eventually(t, "the session has ended", func() bool { return n.Engine().Sessions() == 0 })
	close(block)

	for range 500 { // until what was interrupted is stored again
		c = dial(t, n)
		c.send(claim)
		if sid, _ := c.hello("40", c.read()); sid == id {
			if p := c.read(); eventName(p) != "missed" {
				t.Errorf("got %q", p)
			}
			return
		}
		_ = c.ws.CloseNow()
	}
	t.Error("the session is lost")
}

// A client whose old connection is dead, though the server does not know yet,
// resumes all the same.
func TestRecoveryHalfOpen(t *testing.T) { onEachBus(t, testRecoveryHalfOpen) }

func testRecoveryHalfOpen(t *testing.T, cluster clusterFunc) {
	nodes := cluster(t, 2, socketio.Options{Recovery: &socketio.Recovery{}})
	a, b := nodes[0], nodes[1]
	old := dial(t, a)
	id, pid := old.connectSession("/", "")
	mustEmit(t, b.Emit(bg, "into the void")) // nobody reads there any more, nor answers pings
	c := dial(t, b)
	c.send(fmt.Sprintf(`40{"pid":%q}`, pid))
	if sid, _ := c.hello("40", c.read()); sid != id {
		t.Error("not resumed")
	}
	if p := c.read(); eventName(p) != "into the void" {
		t.Errorf("got %q", p)
	}
	fronttest.Eventually(t, "the old connection's session is gone", func() bool { return a.Engine().Sessions() == 0 })
}

// received checks one client's numbered events of each publisher.
type received map[int]int // publisher → last number

// take reports what is wrong with event number seq of publisher pub.
func (r received) take(pub, seq int) error {
	want := r[pub] + 1
	switch {
	case seq < want:
		return fmt.Errorf("publisher %d: %d came again or late (already at %d)", pub, seq, want-1)
	case seq > want:
		return fmt.Errorf("publisher %d: %d to %d lost", pub, want, seq-1)
	}
	r[pub] = seq
	return nil
}

func TestReceivedCheckerFails(t *testing.T) {
	for name, seqs := range map[string][]int{"lost": {1, 3}, "doubled": {1, 1}, "swapped": {2, 1}} {
		r, failed := received{}, false
		for _, s := range seqs {
			failed = r.take(0, s) != nil || failed
		}
		if !failed {
			t.Errorf("%s: not noticed", name)
		}
	}
}

// Clients lose their connection again and again, and resume on any node, while
// others publish to their room: every event arrives once, in order.
func TestRecoveryUnderFire(t *testing.T) { onEachBus(t, testRecoveryUnderFire) }

func testRecoveryUnderFire(t *testing.T, cluster clusterFunc) {
	const publishers, each, clients, drops = 3, 400, 6, 8
	nodes := cluster(t, 3, socketio.Options{Recovery: &socketio.Recovery{}})
	for _, n := range nodes {
		n.Use(func(_ ctx, s *socketio.Socket) error { return s.Join("room") })
	}
	var ready, publishing, reading sync.WaitGroup
	errs := make(chan error, clients)
	for i := range clients {
		ready.Add(1)
		reading.Go(func() { errs <- survive(t, nodes, i, drops, publishers, each, ready.Done) })
	}
	ready.Wait()
	for p := range publishers {
		publishing.Go(func() {
			for i := range each {
				if err := nodes[p].To("room").Emit(bg, "n", p, i+1); err != nil {
					t.Error(err)
				}
			}
		})
	}
	publishing.Wait()
	reading.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
}

// survive reads all events as one client that loses its connection drops times.
func survive(t *testing.T, nodes []*node, seed, drops, publishers, each int, ready func()) error {
	r := rand.New(rand.NewPCG(uint64(seed), 1))
	c := dial(t, nodes[r.IntN(len(nodes))])
	_, pid := c.connectSession("/", "")
	ready()
	got := received{}
	dropEvery := publishers * each / (drops + 1)
	for n := 0; n < publishers*each; {
		p, err := c.next()
		if err != nil {
			return fmt.Errorf("client %d after %d events: %w", seed, n, err)
		}
		if strings.HasPrefix(p, "40{") {
			if !strings.Contains(p, pid) {
				return fmt.Errorf("client %d: not resumed after %d events: %s", seed, n, p)
			}
			continue
		}
		var pub, seq int
		if _, err := fmt.Sscanf(p, `42["n",%d,%d,`, &pub, &seq); err != nil {
			return fmt.Errorf("client %d: packet %q: %w", seed, p, err)
		}
		if err := got.take(pub, seq); err != nil {
			return fmt.Errorf("client %d: %w", seed, err)
		}
		last := offsetOf(t, p)
		if n++; n%dropEvery == 0 {
			if c, err = resume(t, c, nodes[r.IntN(len(nodes))], pid, last); err != nil {
				return err
			}
		}
	}
	return nil
}

// resume cuts the connection, waits until its node has noticed, and comes back
// on another one.
func resume(t *testing.T, old *client, n *node, pid, last string) (*client, error) {
	t.Helper()
	_ = old.ws.CloseNow()
	for range 500 {
		c := dial(t, n)
		c.send(fmt.Sprintf(`40{"pid":%q,"offset":%q}`, pid, last))
		first, err := c.next()
		if err != nil {
			return nil, err
		}
		if !strings.HasPrefix(first, "40{") || strings.Contains(first, pid) {
			c.unread = append(c.unread, first)
			return c, nil
		}
		_ = c.ws.CloseNow() // the old connection still held the session
	}
	return nil, errors.New("session never came free")
}

func offsetOf(t testing.TB, p string) string {
	t.Helper()
	i := strings.LastIndexByte(p, ',')
	if i < 0 || !strings.HasSuffix(p, `"]`) {
		t.Fatalf("no offset in %q", p)
	}
	return strings.Trim(p[i+1:], `"]`)
}

// Clients that break off and come back at once, before their node has noticed, or
// while it keeps their session, or while another claim is under way, resume each
// time.
func TestRecoveryAtOnce(t *testing.T) { onEachBus(t, testRecoveryAtOnce) }

func testRecoveryAtOnce(t *testing.T, cluster clusterFunc) {
	const clients, drops = 9, 12
	nodes := cluster(t, 3, socketio.Options{Recovery: &socketio.Recovery{}})
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			c := dial(t, nodes[i%3])
			id, pid := c.connectSession("/", "")
			for drop := range drops {
				_ = c.ws.CloseNow()
				c = dial(t, nodes[rand.IntN(len(nodes))])
				c.send(fmt.Sprintf(`40{"pid":%q}`, pid))
				if sid, _ := c.hello("40", c.read()); sid != id {
					t.Errorf("client %d: not resumed after drop %d", i, drop+1)
					return
				}
			}
		})
	}
	all.Wait()
}
