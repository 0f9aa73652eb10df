package stomp_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/internal/fronttest"
	"github.com/seed-09a96375/belfry/socketio"
	"github.com/seed-09a96375/belfry/stomp"
)

// TestOneRoom: STOMP and Socket.IO clients of two nodes meet in one room, over
// every bus.
func TestOneRoom(t *testing.T) {
	onEachBus(t, stomp.Options{}, func(t *testing.T, a, b *node) {
		ann, bob, io := connect(t, a), connect(t, b), connectIO(t, b, "lobby")
		ann.subscribe("s", "/topic/lobby")
		bob.subscribe("s", "/topic/lobby")
		ann.send("SEND", "hi", "destination:/topic/lobby")
		for _, c := range []*client{ann, bob} {
			f := c.want("MESSAGE", "destination:/topic/lobby", "subscription:s", "event:message", "content-type:text/plain", "content-length:2")
			if string(f.Body) != "hi" || f.Value("message-id") == "" {
				t.Errorf("got %q %s", f.Headers, f.Body)
			}
		}
		io.want(`42["message","hi"]`)
		must(t, a.io.To("lobby").Emit(t.Context(), "chat", map[string]int{"n": 1}))
		for _, c := range []*client{ann, bob} {
			if f := c.want("MESSAGE", "event:chat", "content-type:application/json"); string(f.Body) != `{"n":1}` {
				t.Errorf("body %s", f.Body)
			}
		}
		io.want(`42["chat",{"n":1}]`)
		bob.send("UNSUBSCRIBE", "", "id:s", "receipt:u")
		bob.want("RECEIPT")
		ann.send("SEND", "again", "destination:/topic/lobby")
		ann.want("MESSAGE")
		io.want(`42["message","again"]`)
		bob.quiet()
	})
}

// TestOrder: what one client sends arrives complete and in its order, at clients of
// both fronts on another node.
func TestOrder(t *testing.T) {
	onEachBus(t, stomp.Options{}, func(t *testing.T, a, b *node) {
		const n = 300
		sender, receiver, io := connect(t, a), connect(t, b), connectIO(t, b, "r")
		receiver.subscribe("s", "/topic/r")
		for i := range n {
			sender.send("SEND", fmt.Sprint(i), "destination:/topic/r", "content-type:application/json")
		}
		seen := make(map[string]bool)
		for i := range n {
			f := receiver.want("MESSAGE")
			if string(f.Body) != fmt.Sprint(i) || seen[f.Value("message-id")] {
				t.Fatalf("message %d has body %s, id %s", i, f.Body, f.Value("message-id"))
			}
			seen[f.Value("message-id")] = true
			io.want(fmt.Sprintf(`42["message",%d]`, i))
		}
	})
}

// TestBodies: what a STOMP client sends is what Socket.IO clients see, and what
// STOMP clients get, whichever of them sent it.
func TestBodies(t *testing.T) {
	n := newNode(t, stomp.Options{})
	c, io := connect(t, n), connectIO(t, n, "r")
	c.subscribe("s", "/topic/r")
	socketio.On(n.io, "relay", func(ctx context.Context, _ *socketio.Socket, args socketio.Args) error {
		return n.io.To("r").Emit(ctx, "message", args)
	})
	binary := `451-["message",{"_placeholder":true,"num":0}]`
	for name, e := range map[string]struct {
		headers []string
		body    string
		packets []string
		typ     string // that comes back
	}{
		"text without a type": {nil, "hé\"llo\n", []string{`42["message","hé\"llo\n"]`}, "text/plain"},
		"text":                {[]string{"content-type:text/plain;charset=utf-8"}, "{}", []string{`42["message","{}"]`}, "text/plain"},
		"empty":               {nil, "", []string{`42["message",""]`}, "text/plain"},
		"NUL":                 {[]string{"content-length:3"}, "a\x00b", []string{`42["message","a\u0000b"]`}, "text/plain"},
		"object":              {[]string{"content-type:application/json"}, `{"a":[1,2.50]}`, []string{`42["message",{"a":[1,2.50]}]`}, "application/json"},
		"big number":          {[]string{"content-type:application/vnd.x+json"}, `12345678901234567890`, []string{`42["message",12345678901234567890]`}, "application/json"},
		"several arguments":   {[]string{"content-type:application/json", "args:2"}, `[1,"b"]`, []string{`42["message",1,"b"]`}, "application/json"},
		"no argument":         {[]string{"content-type:application/json", "args:0"}, `[]`, []string{`42["message"]`}, "application/json"},
		"binary":              {[]string{"content-type:application/octet-stream"}, "\x01\xff\x00z", []string{binary, "\x01\xff\x00z"}, "application/octet-stream"},
		"binary by its bytes": {nil, "\xff\xfe", []string{binary, "\xff\xfe"}, "application/octet-stream"},
		"placeholder":         {[]string{"content-type:application/json"}, `{"_placeholder":true,"num":7}`, []string{`42["message",{"_placeholder":true,"num":7}]`}, "application/json"},
	} {
		t.Run(name, func(t *testing.T) {
			headers := append([]string{"destination:/topic/r"}, e.headers...)
			if !strings.Contains(strings.Join(headers, " "), "content-length") {
				headers = append(headers, fmt.Sprintf("content-length:%d", len(e.body)))
			}
			c.send("SEND", e.body, headers...)
			check := func() {
				f := c.want("MESSAGE", "content-type:"+e.typ, "event:message")
				if string(f.Body) != e.body {
					t.Errorf("body %q, want %q", f.Body, e.body)
				}
				if args := (&stompHeaders{headers}).value("args"); f.Value("args") != args {
					t.Errorf("args %q, want %q", f.Value("args"), args)
				}
				io.want(e.packets...)
			}
			check()
			if len(e.packets) == 1 { // and back from Socket.IO
				io.send(strings.Replace(e.packets[0], `"message"`, `"relay"`, 1))
				check()
			}
		})
	}
}

type stompHeaders struct{ all []string }

func (h *stompHeaders) value(name string) string {
	for _, s := range h.all {
		if v, ok := strings.CutPrefix(s, name+":"); ok {
			return v
		}
	}
	return ""
}

func TestBinaryWithinOthers(t *testing.T) {
	n := newNode(t, stomp.Options{})
	c := connect(t, n)
	c.subscribe("s", "/topic/r")
	must(t, n.io.To("r").Emit(t.Context(), "x", map[string]any{"a": []byte("hi")}))
	if f := c.want("MESSAGE", "event:x", "content-type:application/json"); string(f.Body) != `{"a":"aGk="}` {
		t.Errorf("body %s", f.Body)
	}
	must(t, n.io.To("r").Emit(t.Context(), "y", []byte("hi"), 1))
	if f := c.want("MESSAGE", "event:y", "args:2"); string(f.Body) != `["aGk=",1]` {
		t.Errorf("body %s", f.Body)
	}
}

// TestVersionsShareARoom: each gets its headers as its version escapes them.
func TestVersionsShareARoom(t *testing.T) {
	n := newNode(t, stomp.Options{})
	var all []*client
	for _, v := range []string{"1.0", "1.1", "1.2"} {
		c := dial(t, n)
		c.send("CONNECT", "", "accept-version:"+v)
		c.want("CONNECTED", "version:"+v)
		c.send("SUBSCRIBE", "", "id:"+v, "destination:/topic/a", "receipt:1")
		c.want("RECEIPT")
		all = append(all, c)
	}
	must(t, n.io.To("a").Emit(t.Context(), "e:\\x", 1))
	for i, v := range []string{"1.0", "1.1", "1.2"} {
		_, data, err := all[i].ws.Read(t.Context())
		must(t, err)
		want := "event:e\\c\\\\x\n"
		if i == 0 {
			want = "event:e:\\x\n"
		}
		if !strings.Contains(string(data), want) || !strings.Contains(string(data), "subscription:"+v+"\n") {
			t.Errorf("%s gets %q", v, data)
		}
	}
}

// TestSubscriptionsOfOneClient: each gets its copy, one SEND reaches several.
func TestSubscriptionsOfOneClient(t *testing.T) {
	n := newNode(t, stomp.Options{})
	c := connect(t, n)
	c.subscribe("1", "/topic/a")
	c.subscribe("2", "/topic/a")
	c.subscribe("3", "/topic/b")
	c.send("SEND", "x", "destination:/topic/a")
	c.want("MESSAGE", "subscription:1")
	c.want("MESSAGE", "subscription:2")
	must(t, n.io.To("a", "b").Emit(t.Context(), "both"))
	c.want("MESSAGE", "subscription:1", "event:both", "args:0")
	c.want("MESSAGE", "subscription:2")
	c.want("MESSAGE", "subscription:3")
	c.send("UNSUBSCRIBE", "", "id:1")
	c.send("SEND", "y", "destination:/topic/a")
	c.want("MESSAGE", "subscription:2")
	c.quiet()
}

// TestUserQueues: a user's queue has the events to that user, on any node and by
// any front, and those to this very client.
func TestUserQueues(t *testing.T) {
	o := stomp.Options{
		Authenticate: func(_ context.Context, l *stomp.Login) (string, error) { return l.Login, nil },
		Authorize: func(_ context.Context, c *stomp.Conn, a stomp.Action, destination string) error {
			if c.User() == "bob" && a == stomp.Send && strings.HasPrefix(destination, "/user/ann/") {
				return errors.New("bob may not write to ann")
			}
			return nil
		},
	}
	onEachBus(t, o, func(t *testing.T, a, b *node) {
		ann1, ann2, bob := connect(t, a, "login:ann"), connect(t, b, "login:ann"), connect(t, b, "login:bob")
		for _, c := range []*client{ann1, ann2, bob} {
			c.subscribe("q", "/user/queue/orders")
		}
		must(t, b.io.ToUser("ann").Emit(t.Context(), "orders", 1))
		must(t, b.io.ToUser("ann").Emit(t.Context(), "others", 2))
		ann1.send("SEND", "note", "destination:/user/bob/queue/orders")
		ann1.want("MESSAGE", "destination:/user/queue/orders", "event:orders")
		ann2.want("MESSAGE", "event:orders")
		if f := bob.want("MESSAGE", "event:orders"); string(f.Body) != "note" {
			t.Errorf("bob got %s", f.Body)
		}
		bob.send("SEND", "self", "destination:/user/queue/orders")
		bob.want("MESSAGE")
		ann1.quiet()
		ann2.quiet()
		sockets, err := a.io.UserSockets(t.Context(), "ann")
		if err != nil || len(sockets) != 2 {
			t.Fatalf("ann has %v, %v", sockets, err)
		}
		must(t, a.io.To(belfry.Room(sockets[0].ID)).Emit(t.Context(), "orders", "for one client"))
		must(t, a.io.ToUser("ann").Emit(t.Context(), "orders", "last"))
		first := string(ann1.want("MESSAGE").Body) + string(ann2.want("MESSAGE").Body)
		if !strings.Contains(first, "for one client") || !strings.Contains(first, "last") {
			t.Errorf("got %q", first)
		}
		bob.send("SEND", "x", "destination:/user/ann/queue/orders")
		bob.wantError("bob may not write to ann", websocket.StatusPolicyViolation)
	})
}

func TestQueueOfNobody(t *testing.T) {
	n := newNode(t, stomp.Options{})
	c := connect(t, n)
	c.subscribe("q", "/user/queue/a")
	c.send("SEND", "me", "destination:/user/queue/a")
	c.want("MESSAGE", "event:a")
}

// TestApp: the application gets what is sent to it, in order, and can publish for
// the client.
func TestApp(t *testing.T) {
	n := newNode(t, stomp.Options{App: func(ctx context.Context, c *stomp.Conn, m *stomp.Message) error {
		switch m.Name {
		case "greet":
			if m.Header("x") != "y:z" || m.Destination != "/app/greet" || c.Version().String() != "1.2" {
				t.Errorf("message %+v", m)
			}
			m.Body = append([]byte("hello "), m.Body...)
			return c.Publish(ctx, "/topic/greetings", m)
		case "panic":
			panic("on purpose")
		}
		return errors.New("unknown to the application")
	}})
	c := connect(t, n)
	c.subscribe("1", "/topic/greetings")
	c.send("SEND", "ann", "destination:/app/greet", "x:y\\cz")
	if f := c.want("MESSAGE"); string(f.Body) != "hello ann" {
		t.Errorf("body %s", f.Body)
	}
	c.send("SEND", "", "destination:/app/other", "receipt:5")
	if f := c.wantError("unknown to the application", websocket.StatusInternalError); f.Value("receipt-id") != "5" {
		t.Errorf("ERROR has %q", f.Headers)
	}
	c = connect(t, n)
	c.send("SEND", "", "destination:/app/panic")
	c.wantError("internal error", websocket.StatusInternalError)
}

// TestServerSide: what a server does with sockets it can do with STOMP clients.
func TestServerSide(t *testing.T) {
	onEachBus(t, stomp.Options{}, func(t *testing.T, a, b *node) {
		c := connect(t, a)
		c.subscribe("1", "/topic/r")
		sockets, err := b.io.In("r").FetchSockets(t.Context())
		if err != nil || len(sockets) != 1 || len(sockets[0].Rooms) != 2 || sockets[0].Rooms[1] != "r" {
			t.Fatalf("sockets %v, %v", sockets, err)
		}
		answers, err := b.io.In("r").EmitAck(t.Context(), "ask")
		if err != nil || len(answers) != 1 {
			t.Fatalf("answers %v, %v", answers, err)
		}
		c.want("MESSAGE", "event:ask")
		must(t, b.io.In("r").SocketsJoin(t.Context(), "other"))
		rooms, err := b.io.AllRooms(t.Context())
		if err != nil || len(rooms) != 2 {
			t.Errorf("rooms %v, %v", rooms, err)
		}
		must(t, b.io.In("other").SocketsLeave(t.Context(), "r"))
		fronttest.Eventually(t, "the room is left", func() bool {
			rooms, err := b.io.AllRooms(t.Context())
			return err == nil && len(rooms) == 1
		})
		must(t, b.io.In("other").DisconnectSockets(t.Context(), false))
		c.wantError("disconnected by the server", websocket.StatusPolicyViolation)
		fronttest.Eventually(t, "the rooms are gone", func() bool {
			rooms, err := b.io.AllRooms(t.Context())
			return err == nil && len(rooms) == 0
		})
	})
}
