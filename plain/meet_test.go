package plain_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/internal/fronttest"
	"github.com/seed-09a96375/belfry/plain"
	"github.com/seed-09a96375/belfry/socketio"
)

// peer is a client of another front: it shows what comes as text.
type peer struct {
	t  testing.TB
	ws *websocket.Conn
}

func dialPeer(t testing.TB, n *node, path string) *peer {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, n.url+path, nil)
	must(t, err)
	t.Cleanup(func() { _ = ws.CloseNow() })
	return &peer{t, ws}
}

func (p *peer) send(text string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	must(p.t, p.ws.Write(ctx, websocket.MessageText, []byte(text)))
}

// want reads messages until one has the text in it.
func (p *peer) want(text string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		_, data, err := p.ws.Read(ctx)
		if err != nil {
			p.t.Fatalf("read: %v, want %s", err, text)
		}
		if strings.Contains(string(data), text) {
			return
		}
	}
}

// TestOneRoom: clients of all fronts, on two nodes, meet in one room.
func TestOneRoom(t *testing.T) {
	onEachBus(t, plain.Options{}, func(t *testing.T, a, b *node) {
		b.io.OnConnect(func(_ context.Context, s *socketio.Socket) { must(t, s.Join("lobby")) })
		socketio.On(b.io, "say", func(ctx context.Context, _ *socketio.Socket, args socketio.Args) error {
			return b.io.To("lobby").Emit(ctx, "chat", args)
		})
		ws, sse := connect(t, a), listen(t, b, "?room=lobby", nil)
		if e := sse.read(); e.name != "stream:open" || len(e.open.Rooms) != 1 {
			t.Fatalf("a stream begins with %s %s", e.name, e.raw)
		}
		ws.ask(`"join":{"room":"lobby"}`)
		io, st := dialPeer(t, b, "/socket.io/?EIO=4&transport=websocket"), dialPeer(t, a, "/stomp")
		io.send("40")
		io.want("40")
		st.send("CONNECT\naccept-version:1.2\n\n\x00")
		st.send("SUBSCRIBE\nid:1\ndestination:/topic/lobby\nreceipt:1\n\n\x00")
		st.want("RECEIPT")

		ws.write(`{"id":"p","publish":{"room":"lobby","event":"chat","args":[{"text":"hi"}]}}`)
		io.want(`42["chat",{"text":"hi"}`)
		st.want("event:chat\ncontent-type:application/json\ncontent-length:13\n\n{\"text\":\"hi\"}")
		e := sse.want("lobby", "chat", `[{"text":"hi"}]`)
		m := ws.want("lobby", "chat", `[{"text":"hi"}]`)
		if got := ws.read(); got.ID != "p" || got.OK == nil || got.OK.Position != m.At || string(m.At) != e.id {
			t.Errorf("published: %s, offset %s, id %s", got.raw, m.At, e.id)
		}
		io.send(`42["say",1,"b"]`)
		sse.want("lobby", "chat", `[1,"b"]`)
		ws.want("lobby", "chat", `[1,"b"]`)
		st.want("args:2")
		st.send("SEND\ndestination:/topic/lobby\nevent:chat\n\nfrom stomp\x00")
		sse.want("lobby", "chat", `["from stomp"]`)
		ws.want("lobby", "chat", `["from stomp"]`)
		io.want("from stomp")
	})
}

// TestBinary: bytes travel as base64 here, and as attachments elsewhere.
func TestBinary(t *testing.T) {
	n := newNode(t, plain.Options{})
	c, s := connect(t, n), listen(t, n, "?room=r", nil)
	s.read()
	c.ask(`"join":{"room":"r"}`)
	io := dialPeer(t, n, "/socket.io/?EIO=4&transport=websocket")
	n.io.OnConnect(func(_ context.Context, s *socketio.Socket) { must(t, s.Join("r")) })
	io.send("40")
	io.want("40")
	fronttest.Eventually(t, "the socket is in the room", func() bool {
		all, err := n.io.In("r").FetchSockets(t.Context())
		return err == nil && len(all) == 3
	})
	c.write(`{"publish":{"room":"r","event":"e","args":[{"a":{"$binary":"aGk="}},12345678901234567890]}}`)
	io.want(`451-["e",{"a":{"_placeholder":true,"num":0}},12345678901234567890`)
	io.want("hi")
	c.want("r", "e", `[{"a":{"$binary":"aGk="}},12345678901234567890]`)
	s.want("r", "e", `[{"a":{"$binary":"aGk="}},12345678901234567890]`)
	must(t, n.io.To("r").Emit(t.Context(), "f", []byte{0xff}))
	c.want("r", "f", `[{"$binary":"/w=="}]`)
	s.want("r", "f", `[{"$binary":"/w=="}]`)
}

// TestOrder: what one client sends arrives complete and in its order, on another node.
func TestOrder(t *testing.T) {
	onEachBus(t, plain.Options{}, func(t *testing.T, a, b *node) {
		const n = 300
		sender, receiver, s := connect(t, a), connect(t, b), listen(t, b, "?room=r", nil)
		s.read()
		receiver.ask(`"join":{"room":"r"}`)
		for i := range n {
			sender.write(fmt.Sprintf(`{"publish":{"room":"r","event":"n","args":[%d]}}`, i))
		}
		for i := range n {
			receiver.want("r", "n", fmt.Sprintf("[%d]", i))
			s.want("r", "n", fmt.Sprintf("[%d]", i))
		}
	})
}

// TestServerSide: what a server does with sockets it can do with clients of this front.
func TestServerSide(t *testing.T) {
	onEachBus(t, plain.Options{}, func(t *testing.T, a, b *node) {
		c := connect(t, a)
		c.ask(`"join":{"room":"r"}`)
		sockets, err := b.io.In("r").FetchSockets(t.Context())
		if err != nil || len(sockets) != 1 || len(sockets[0].Rooms) != 2 || sockets[0].Rooms[1] != "r" {
			t.Fatalf("sockets %v, %v", sockets, err)
		}
		must(t, b.io.To(belfry.Room(sockets[0].ID)).Emit(t.Context(), "you"))
		c.want("", "you", "[]")
		must(t, b.io.Emit(t.Context(), "all", 1))
		c.want("", "all", "[1]")

		answers := make(chan []socketio.Args, 1)
		go func() {
			all, err := b.io.In("r").EmitAck(context.Background(), "ask", 1)
			if err != nil {
				t.Error(err)
			}
			answers <- all
		}()
		m := c.want("r", "ask", "[1]")
		c.ask(fmt.Sprintf(`"ack":{"id":%d,"args":["yes"]}`, m.Ack))
		c.refused(fmt.Sprintf(`{"ack":{"id":%d}}`, m.Ack), "no_such_ack", "")
		var said string
		if all := <-answers; len(all) != 1 || all[0].Decode(&said) != nil || said != "yes" {
			t.Errorf("answers %v", all)
		}

		must(t, b.io.In("r").SocketsJoin(t.Context(), "other"))
		if m := c.read(); m.Join == nil || m.Join.Rooms[0] != "other" {
			t.Errorf("got %s", m.raw)
		}
		must(t, b.io.In("other").SocketsLeave(t.Context(), "r"))
		if m := c.read(); m.Left == nil || m.Left.Rooms[0] != "r" {
			t.Errorf("got %s", m.raw)
		}
		must(t, b.io.To("r").Emit(t.Context(), "gone"))
		must(t, b.io.In("other").DisconnectSockets(t.Context(), false))
		c.wantError("disconnected", "by the server")
		c.wantClosed(websocket.StatusPolicyViolation)
	})
}

// TestSeveralRooms: a message to several rooms comes once, and names only those that
// the client is in.
func TestSeveralRooms(t *testing.T) {
	n := newNode(t, plain.Options{})
	one, two := connect(t, n), connect(t, n)
	one.ask(`"join":{"room":"a"}`)
	two.ask(`"join":{"rooms":["a","b"]}`)
	must(t, n.io.To("a", "b", "secret").Emit(t.Context(), "x"))
	one.want("a", "x", "[]")
	if m := two.want("", "x", "[]"); len(m.Rooms) != 2 {
		t.Errorf("got %s", m.raw)
	}
	one.quiet()
	two.quiet()
}

// TestPresence: clients of this front are present, and see who is.
func TestPresence(t *testing.T) {
	o := plain.Options{
		Presence:     socketio.RoomPattern("meet:*"),
		Authenticate: func(_ context.Context, _ *plain.Conn, l *plain.Login) (string, error) { return l.Token, nil },
	}
	onEachBus(t, o, func(t *testing.T, a, b *node) {
		ann, bob := dial(t, a, "?token=ann", nil), dial(t, b, "?token=bob", nil)
		ann.ask(`"join":{"room":"meet:1","meta":{"role":"host"}}`)
		ann.wantPresence("join", "ann")
		all := ann.ask(`"presence":{"room":"meet:1"}`).Members
		if len(all) != 1 || all[0].User != "ann" || string(all[0].Meta) != `{"role":"host"}` {
			t.Fatalf("members %+v", all)
		}
		bob.ask(`"join":{"room":"meet:1"}`)
		ann.wantPresence("join", "bob")
		bob.wantPresence("join", "bob")
		bob.ask(`"leave":{"room":"meet:1"}`)
		ann.wantPresence("leave", "bob")
		s := listen(t, b, "?room=meet:1&token=eve", nil)
		s.read()
		ann.wantPresence("join", "eve")
		s.close()
		ann.wantPresence("leave", "eve")
		must(t, a.io.In("meet:1").SocketsJoin(t.Context(), "meet:2")) // ann alone is there
		if m := ann.read(); m.Join == nil || m.Join.Rooms[0] != "meet:2" {
			t.Errorf("got %s", m.raw)
		}
		ann.wantPresence("join", "ann")
		must(t, b.io.In("meet:1").SocketsLeave(t.Context(), "meet:2"))
		fronttest.Eventually(t, "the cluster knows that ann has left", func() bool {
			present, err := b.io.Presence("meet:2").Members(t.Context())
			return err == nil && len(present) == 0
		})
		bob.refused(`{"presence":{"room":"other"}}`, "no_presence", "")
		bob.refused(`{"publish":{"room":"meet:1","event":"presence:join"}}`, "forbidden", "cluster alone")
	})
}

func (c *client) wantPresence(what, user string) {
	c.t.Helper()
	if m := c.read(); m.Event != "presence:"+what || !strings.Contains(string(m.Args), `"user":"`+user+`"`) {
		c.t.Errorf("got %s", m.raw)
	}
}
