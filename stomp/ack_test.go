package stomp_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/internal/fronttest"
	"github.com/seed-09a96375/belfry/poll"
	"github.com/seed-09a96375/belfry/socketio"
	"github.com/seed-09a96375/belfry/stomp"
)

// ask emits an event that wants acks, and returns the answers.
func ask(t *testing.T, n *node, room belfry.Room) <-chan []socketio.Args {
	t.Helper()
	result := make(chan []socketio.Args, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		answers, err := n.io.To(room).EmitAck(ctx, "ask")
		if err != nil {
			t.Errorf("ask: %v", err)
		}
		result <- answers
	}()
	return result
}

func TestAcks(t *testing.T) {
	for _, version := range []string{"1.0", "1.1", "1.2"} {
		t.Run(version, func(t *testing.T) {
			n := newNode(t, stomp.Options{MaxUnacked: 3})
			c := dial(t, n)
			c.send("CONNECT", "", "accept-version:"+version)
			c.want("CONNECTED")
			c.subscribe("s", "/topic/a", "ack:client-individual")
			answers := ask(t, n, "a")
			f := c.want("MESSAGE")
			id := "message-id:" + f.Value("message-id")
			if version == "1.2" {
				id = "id:" + f.Value("ack")
			} else if _, has := f.Get("ack"); has {
				t.Error("an ack header before 1.2")
			}
			c.send("ACK", "", id, "subscription:s")
			if a := <-answers; len(a) != 1 || a[0].Len() != 0 {
				t.Errorf("answers %v", a)
			}
			answers = ask(t, n, "a")
			f = c.want("MESSAGE")
			if version == "1.2" {
				id = "id:" + f.Value("ack")
			} else {
				id = "message-id:" + f.Value("message-id")
			}
			c.send("NACK", "", id, "subscription:s")
			if a := <-answers; len(a) != 1 || !strings.Contains(string(a[0].Raw(0)), "NACK") {
				t.Errorf("answers %v", a)
			}
			c.send("ACK", "", id, "subscription:s", "receipt:twice")
			c.want("RECEIPT") // it was sent once, so it does no harm
		})
	}
}

// TestUnackedAreBounded: a cumulative ACK makes room, too many end the connection.
func TestUnackedAreBounded(t *testing.T) {
	n := newNode(t, stomp.Options{MaxUnacked: 3})
	c := connect(t, n)
	c.subscribe("s", "/topic/a", "ack:client")
	for range 5 {
		var last string
		for range 3 {
			must(t, n.io.To("a").Emit(t.Context(), "x"))
			last = c.want("MESSAGE").Value("ack")
		}
		c.send("ACK", "", "id:"+last, "receipt:r")
		c.want("RECEIPT")
	}
	for range 4 {
		must(t, n.io.To("a").Emit(t.Context(), "x"))
	}
	for range 3 {
		c.want("MESSAGE")
	}
	c.wantError("more than 3 messages are not acknowledged", websocket.StatusPolicyViolation)
}

// TestUnsubscribeForgetsUnacked: the end of a subscription makes room, too.
func TestUnsubscribeForgetsUnacked(t *testing.T) {
	n := newNode(t, stomp.Options{MaxUnacked: 1})
	c := connect(t, n)
	for range 3 {
		c.subscribe("s", "/topic/a", "ack:client-individual")
		must(t, n.io.To("a").Emit(t.Context(), "x"))
		c.want("MESSAGE")
		c.send("UNSUBSCRIBE", "", "id:s")
	}
	c.quiet()
}

// TestAcksInTransactions count at the commit.
func TestAcksInTransactions(t *testing.T) {
	n := newNode(t, stomp.Options{})
	c := connect(t, n)
	c.subscribe("s", "/topic/a", "ack:client-individual")
	answers := ask(t, n, "a")
	id := c.want("MESSAGE").Value("ack")
	c.send("BEGIN", "", "transaction:t")
	c.send("ACK", "", "id:"+id, "transaction:t")
	c.quiet()
	select {
	case <-answers:
		t.Fatal("acknowledged before the commit")
	default:
	}
	c.send("COMMIT", "", "transaction:t")
	<-answers
}

// slowClient subscribes and never reads again.
func slowClient(t *testing.T, n *node) *client {
	t.Helper()
	c := dialPath(t, n, "/stomp", nil)
	c.send("CONNECT", "", "accept-version:1.2")
	c.want("CONNECTED")
	c.subscribe("s", "/topic/a")
	return c
}

// TestSlowClients are closed by default, and only they.
func TestSlowClients(t *testing.T) {
	n := newNode(t, stomp.Options{})
	slow, fast := slowClient(t, n), connect(t, n)
	fast.subscribe("s", "/topic/a")
	payload := strings.Repeat("x", 100_000)
	fronttest.Eventually(t, "the slow one is closed", func() bool {
		must(t, n.io.To("a").Emit(t.Context(), "x", payload))
		fast.want("MESSAGE")
		return n.Connections() == 1
	})
	_ = slow
}

// TestSlowPolicy: the latest of an event is kept, the client stays.
func TestSlowPolicy(t *testing.T) {
	group, err := poll.New(poll.Options{MaxQueue: 300_000})
	must(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		must(t, group.Close(ctx))
	})
	n := newNode(t, stomp.Options{Poller: group, Slow: func(*belfry.Message) stomp.SlowPolicy { return poll.KeepLatest }})
	slow := slowClient(t, n)
	payload := strings.Repeat("x", 100_000)
	const last = 200
	for i := range last + 1 {
		must(t, n.io.To("a").Emit(t.Context(), "x", i, payload))
	}
	seen := 0
	for {
		f := slow.want("MESSAGE", "args:2")
		seen++
		if strings.HasPrefix(string(f.Body), "[200,") {
			break
		}
	}
	if seen > last {
		t.Errorf("%d messages: none was dropped", seen)
	}
	if n.Connections() != 1 {
		t.Error("the client is gone")
	}
}

// TestInboxIsBounded: a client whose handler blocks is not read, and loses nothing.
func TestInboxIsBounded(t *testing.T) {
	const frames = 2000
	release := make(chan struct{})
	got := make(chan string, frames)
	n := newNode(t, stomp.Options{MaxInbox: 4, MaxFramesPerSecond: -1, App: func(_ context.Context, _ *stomp.Conn, m *stomp.Message) error {
		<-release
		got <- string(m.Body)
		return nil
	}})
	c := connect(t, n)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for range frames {
			c.send("SEND", "x", "destination:/app/a")
		}
	}()
	close(release)
	<-sent
	for range frames {
		select {
		case <-got:
		case <-time.After(patience):
			t.Fatal("frames are missing")
		}
	}
}

// TestCloseEndsClients with 1001, and waits for handlers.
func TestCloseEndsClients(t *testing.T) {
	entered, ended := make(chan struct{}), make(chan struct{})
	n := newNode(t, stomp.Options{App: func(ctx context.Context, _ *stomp.Conn, _ *stomp.Message) error {
		close(entered)
		<-ctx.Done()
		close(ended)
		return nil
	}})
	c := connect(t, n)
	c.send("SEND", "", "destination:/app/a")
	<-entered
	closed := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		closed <- n.Close(ctx)
	}()
	c.wantClosed(websocket.StatusGoingAway)
	must(t, <-closed)
	select {
	case <-ended:
	default:
		t.Error("Close did not wait for the handler")
	}
	if _, _, err := websocket.Dial(t.Context(), n.url+"/stomp", nil); err == nil {
		t.Error("a client after Close")
	}
}
