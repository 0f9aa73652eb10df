package plain_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/internal/fronttest"
	"github.com/seed-09a96375/belfry/plain"
)

func emit(t testing.TB, n *node, event string, rooms ...belfry.Room) {
	t.Helper()
	must(t, n.io.To(rooms...).Emit(t.Context(), event))
}

// wantRecovered asserts what an answer says of a resume.
func (a *answer) wantRecovered(t testing.TB, recovered bool, missed int) {
	t.Helper()
	if a.Recovered == nil || *a.Recovered != recovered || a.Missed != missed {
		t.Fatalf("recovered %v, %d missed; want %v, %d", a.Recovered != nil && *a.Recovered, a.Missed, recovered, missed)
	}
}

// TestResume: what was sent while a client was away comes once, in order, and then
// what is live, whichever node the client comes back to.
func TestResume(t *testing.T) {
	onEachBus(t, plain.Options{}, func(t *testing.T, a, b *node) {
		c := connect(t, a)
		start := c.ask(`"join":{"room":"r"}`)
		if start.Offset == "" || start.Recovered != nil {
			t.Fatalf("joined %+v", start)
		}
		emit(t, b, "1", "r")
		last := c.want("r", "1", "[]").At
		must(t, c.ws.CloseNow())
		emit(t, a, "2", "r")
		emit(t, a, "elsewhere", "other")
		emit(t, b, "3", "r", "other")

		c = dial(t, b, "", nil)
		c.ask(fmt.Sprintf(`"connect":{"rooms":["r"],"offset":%q}`, last)).wantRecovered(t, true, 2)
		c.want("r", "2", "[]")
		c.want("r", "3", "[]")
		emit(t, a, "4", "r")
		c.want("r", "4", "[]")

		again := connect(t, a)
		again.ask(fmt.Sprintf(`"join":{"room":"r","offset":%q}`, start.Offset)).wantRecovered(t, true, 4)
		for i := range 4 {
			again.want("r", fmt.Sprint(i+1), "[]")
		}
		again.quiet()
		s := listen(t, a, "?room=r&lastEventId="+string(last), nil)
		if e := s.read(); e.name != "stream:open" || e.open.Recovered == nil || !*e.open.Recovered || e.id != string(last) {
			t.Errorf("the stream begins with %s %s", e.name, e.raw)
		}
		for i := range 3 {
			s.want("r", fmt.Sprint(i+2), "[]")
		}
	})
}

// TestNotInTheLog: who cannot resume is told so, and from where it goes on.
func TestNotInTheLog(t *testing.T) {
	onEachBus(t, plain.Options{}, func(t *testing.T, a, b *node) {
		emit(t, a, "before", "r")
		c := dial(t, b, "", nil)
		got := c.ask(`"connect":{"rooms":["r"],"offset":"nonsense"}`)
		got.wantRecovered(t, false, 0)
		emit(t, a, "1", "r")
		c.want("r", "1", "[]")
		must(t, c.ws.CloseNow())
		c = dial(t, a, "", nil)
		c.ask(fmt.Sprintf(`"connect":{"rooms":["r"],"offset":%q}`, got.Offset)).wantRecovered(t, true, 1)
		c.want("r", "1", "[]")
		s := listen(t, b, "?room=r", map[string][]string{"Last-Event-Id": {"nonsense"}})
		if e := s.read(); e.name != "stream:reset" || e.open.Recovered == nil || *e.open.Recovered || e.id == "" {
			t.Errorf("the stream begins with %s %s, id %s", e.name, e.raw, e.id)
		}
	})
}

func TestNoLog(t *testing.T) {
	n := newNodeOn(t, memory.New(memory.Options{}), plain.Options{})
	c := connect(t, n)
	if got := c.ask(`"join":{"room":"a"}`); got.Offset != "" {
		t.Errorf("joined %+v", got)
	}
	c.ask(`"join":{"room":"r","offset":"x"}`).wantRecovered(t, false, 0)
	emit(t, n, "1", "r")
	if m := c.want("r", "1", "[]"); m.At != "" {
		t.Errorf("got %s", m.raw)
	}
}

// TestResumeBesideLive: a room is resumed while another is live; what went to both
// comes once.
func TestResumeBesideLive(t *testing.T) {
	onEachBus(t, plain.Options{}, func(t *testing.T, a, b *node) {
		c := connect(t, a)
		start := c.ask(`"join":{"room":"live"}`).Offset
		emit(t, b, "1", "live")
		c.want("live", "1", "[]")
		emit(t, b, "2", "late")
		emit(t, b, "3", "live", "late")
		c.want("live", "3", "[]")
		c.ask(fmt.Sprintf(`"join":{"room":"late","offset":%q}`, start)).wantRecovered(t, true, 1)
		c.want("late", "2", "[]")
		emit(t, b, "4", "live", "late")
		if m := c.want("", "4", "[]"); len(m.Rooms) != 2 {
			t.Errorf("got %s", m.raw)
		}
		// To resume what is live sends nothing twice.
		c.ask(fmt.Sprintf(`"join":{"rooms":["live","late"],"offset":%q}`, start)).wantRecovered(t, true, 0)
		c.quiet()
	})
}

// TestResumeOfAUser: what was sent to the user, and to everybody, is resumed as well.
func TestResumeOfAUser(t *testing.T) {
	o := plain.Options{Authenticate: func(_ context.Context, _ *plain.Conn, l *plain.Login) (string, error) { return l.Token, nil }}
	onEachBus(t, o, func(t *testing.T, a, b *node) {
		c := dial(t, a, "", nil)
		got := c.ask(`"connect":{"token":"ann"}`)
		if got.User != "ann" || len(got.ID) != 20 {
			t.Fatalf("connected as %+v", got)
		}
		must(t, c.ws.CloseNow())
		must(t, b.io.ToUser("ann").Emit(t.Context(), "note", 1))
		must(t, b.io.ToUser("bob").Emit(t.Context(), "note", 2))
		must(t, b.io.Emit(t.Context(), "all", 3))
		c = dial(t, b, "", nil)
		c.ask(fmt.Sprintf(`"connect":{"token":"ann","offset":%q}`, got.Offset)).wantRecovered(t, true, 2)
		c.want("", "note", "[1]")
		c.want("", "all", "[3]")
		must(t, a.io.ToUser("ann").Emit(t.Context(), "note", 4))
		c.want("", "note", "[4]")
	})
}

// TestQuietClientsKeepUp: a client that gets nothing is told how far the log has come,
// and can resume although what it joined with is no longer in it.
func TestQuietClientsKeepUp(t *testing.T) {
	const log = 2000 // marks are in it, too: long enough for a machine that is busy
	bus := memory.New(memory.Options{Log: &memory.Log{MaxMessages: log}})
	n := newNodeOn(t, bus, plain.Options{Heartbeat: time.Second})
	c, s := connect(t, n), listen(t, n, "?room=quiet", nil)
	s.read()
	old := c.ask(`"join":{"room":"quiet"}`).Offset
	emitted := make(chan error, 1)
	go func() {
		var err error
		for i := 0; i < 2*log && err == nil; i++ {
			err = n.io.To("busy").Emit(t.Context(), "x")
		}
		emitted <- err
	}()
	for len(emitted) == 0 {
		c.nextMark() // who reads answers pings
	}
	must(t, <-emitted)
	space := n.io.Hub().Space("/", hub.Hooks{})
	end, err := space.Position(t.Context())
	must(t, err)
	mark := c.nextMark()
	for space.Before(mark, end) {
		mark = c.nextMark()
	}
	must(t, c.ws.CloseNow())
	c = dial(t, n, "", nil)
	c.ask(fmt.Sprintf(`"connect":{"rooms":["quiet"],"offset":%q}`, mark)).wantRecovered(t, true, 0)
	c.ask(fmt.Sprintf(`"join":{"room":"r","offset":%q}`, old)).wantRecovered(t, false, 0)
	fronttest.Eventually(t, "the id of the stream has moved on", func() bool {
		line, err := s.lines.ReadString('\n')
		return err != nil || line == "id: "+string(mark)+"\n" || line[:3] == "id:"
	})
}

// nextMark reads until a mark comes that the log has.
func (c *client) nextMark() belfry.Offset {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, data, err := c.ws.Read(ctx)
	must(c.t, err)
	var m message
	must(c.t, json.Unmarshal(data, &m))
	if m.At == "" || m.Event != "" || m.OK != nil {
		c.t.Fatalf("got %s, want a mark", data)
	}
	return m.At
}

// TestSlowResume: what a client has missed comes as fast as it reads, also if it is
// far more than the queue of a connection holds.
func TestSlowResume(t *testing.T) {
	n := newNode(t, plain.Options{})
	c := connect(t, n)
	start := c.ask(`"join":{"room":"r"}`).Offset
	must(t, c.ws.CloseNow())
	const count, size = 400, 20_000 // 8 MB
	text := strings.Repeat("x", size)
	for i := range count {
		must(t, n.io.To("r").Emit(t.Context(), "n", i, text))
	}
	c = dial(t, n, "", nil)
	c.ask(fmt.Sprintf(`"connect":{"rooms":["r"],"offset":%q}`, start)).wantRecovered(t, true, count)
	for i := range count {
		if i%100 == 50 {
			must(t, n.io.To("r").Emit(t.Context(), "n", count+i/100))
		}
		m := c.read()
		var args []any
		must(t, json.Unmarshal(m.Args, &args))
		if args[0] != float64(i) {
			t.Fatalf("message %d is %v", i, args[0])
		}
	}
	for i := range count / 100 {
		c.want("r", "n", fmt.Sprintf("[%d]", count+i))
	}
	c.quiet()
}

// TestTooMuchMeanwhile: a client that catches up while more comes than may wait is
// sent away, not left with a hole.
func TestTooMuchMeanwhile(t *testing.T) {
	n := newNode(t, plain.Options{MaxHeld: 1000})
	c := connect(t, n)
	start := c.ask(`"join":{"room":"r"}`).Offset
	must(t, c.ws.CloseNow())
	for range 200 {
		must(t, n.io.To("r").Emit(t.Context(), "n", strings.Repeat("x", 50_000)))
	}
	c = dial(t, n, "", nil)
	c.write(fmt.Sprintf(`{"id":1,"connect":{"rooms":["r"],"offset":%q}}`, start))
	c.read() // it has begun
	for range 10 {
		emit(t, n, "more", "r")
	}
	for {
		m, err := c.next()
		if err != nil {
			if got := websocket.CloseStatus(err); got != websocket.StatusTryAgainLater {
				t.Errorf("closed with %d: %v", got, err)
			}
			return
		}
		if m.Event == "more" {
			t.Fatal("it was fast enough: nothing is tested")
		}
	}
}
