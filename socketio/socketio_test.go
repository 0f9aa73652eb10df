package socketio_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/internal/fronttest"
	"github.com/seed-09a96375/belfry/socketio"
)

var bg = context.Background()

func TestTypedHandlersAndAcks(t *testing.T) {
	n := newNode(t, socketio.Options{})
	type point struct{ X, Y int }
	socketio.OnAck(n, "swap", func(_ context.Context, _ *socketio.Socket, p point) (point, error) {
		return point{p.Y, p.X}, nil
	})
	socketio.OnAck2(n, "sum", func(_ context.Context, _ *socketio.Socket, a, b int) (int, error) { return a + b, nil })
	socketio.OnAck(n, "bytes", func(_ context.Context, _ *socketio.Socket, b []byte) ([]byte, error) {
		return append(b, 0xff), nil
	})
	socketio.OnAck(n, "relay", func(_ context.Context, _ *socketio.Socket, a socketio.Args) (socketio.Args, error) {
		return a, nil
	})
	socketio.On(n, "none", func(context.Context, *socketio.Socket, socketio.None) error { return nil })
	socketio.On(n, "fail", func(context.Context, *socketio.Socket, string) error { return errors.New("room full") })
	socketio.On(n, "panic", func(context.Context, *socketio.Socket, string) error { panic("boom") })

	c, _ := connect(t, n)
	for _, tc := range []struct{ name, send, want string }{
		{"struct", `421["swap",{"X":1,"Y":2}]`, `431[{"X":2,"Y":1}]`},
		{"two arguments", `422["sum",40,2]`, `432[42]`},
		{"missing argument is zero", `423["sum",40]`, `433[40]`},
		{"wrong type", `424["sum","x",1]`, `434[{"error":{"message":"argument 1: `},
		{"no argument, empty ack", `425["none"]`, `435[]`},
		{"error", `426["fail","x"]`, `436[{"error":{"message":"room full"}}]`},
		{"panic", `427["panic","x"]`, `437[{"error":{"message":"internal error"}}]`},
		{"after the panic", `428["sum",1,1]`, `438[2]`},
		{"relay", `429["relay",1,"é",{"a":[null]}]`, `439[1,"é",{"a":[null]}]`},
	} {
		c.send(tc.send)
		if got := c.read(); !strings.HasPrefix(got, tc.want) {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
	c.send(`451-7["bytes",{"_placeholder":true,"num":0}]`, "bin:\x01")
	c.want(`461-7[{"_placeholder":true,"num":0}]`, "bin:\x01\xff")
	c.send(`452-8["relay",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]`, "bin:a", "bin:b")
	c.want(`462-8[{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]`, "bin:a", "bin:b")
}

func TestConnectAuthAndMiddlewares(t *testing.T) {
	n := newNode(t, socketio.Options{})
	n.Use(func(_ context.Context, s *socketio.Socket) error {
		var auth struct{ Token string }
		_ = json.Unmarshal(s.Auth(), &auth)
		switch auth.Token {
		case "good":
			return s.Join("admitted")
		case "panic":
			panic("boom")
		case "plain":
			return errors.New("not today")
		}
		return &socketio.ConnectError{Message: "not authorized", Data: map[string]int{"code": 42}}
	})
	c := dial(t, n)
	c.send("40")
	c.want(`44{"message":"not authorized","data":{"code":42}}`)
	c.send(`40{"token":"plain"}`)
	c.want(`44{"message":"not today"}`)
	c.send(`40{"token":"panic"}`)
	c.want(`44{"message":"internal error"}`)
	c.send(`40/nowhere,`)
	c.want(`44/nowhere,{"message":"Invalid namespace"}`)
	id := c.connect("/", `{"token":"good"}`)
	mustEmit(t, n.To("admitted").Emit(bg, "hi"))
	c.want(`42["hi"]`)
	s, ok := n.Socket(id)
	if !ok || string(s.Auth()) != `{"token":"good"}` {
		t.Errorf("socket %v has auth %s", ok, s.Auth())
	}
	if h := s.Handshake(); h.Query["EIO"] != "4" || h.Headers["host"] == "" || h.Address == "" {
		t.Errorf("handshake is %+v", h)
	}
}

func TestEventMiddlewareAndCatchAll(t *testing.T) {
	n := newNode(t, socketio.Options{})
	seen := make(chan string, 10)
	n.UseEvent(func(_ context.Context, _ *socketio.Socket, event string, _ socketio.Args) error {
		if event == "secret" {
			return errors.New("forbidden")
		}
		return nil
	})
	n.OnAny(func(_ *socketio.Socket, event string, a socketio.Args) {
		seen <- fmt.Sprintf("%s/%d", event, a.Len())
	})
	sent := make(chan string, 10)
	n.OnAnyOutgoing(func(_ *socketio.Socket, event string, a socketio.Args) {
		sent <- fmt.Sprintf("%s/%d", event, a.Len())
	})
	socketio.On(n, "secret", func(context.Context, *socketio.Socket, string) error {
		t.Error("the handler of a refused event ran")
		return nil
	})
	c, id := connect(t, n)
	c.send(`421["secret","x"]`)
	c.want(`431[{"error":{"message":"forbidden"}}]`)
	socketio.On(n, "open", func(_ context.Context, s *socketio.Socket, _ socketio.None) error {
		return s.Emit(bg, "out", 1, 2)
	})
	c.send(`42["unknown",1]`, `42["open"]`)
	c.want(`42["out",1,2]`)
	if a, b := <-seen, <-seen; a != "unknown/1" || b != "open/0" {
		t.Errorf("seen: %s, %s", a, b)
	}
	mustEmit(t, n.Emit(bg, "all"))
	c.want(`42["all"]`)
	if a, b := <-sent, <-sent; a != "out/2" || b != "all/0" {
		t.Errorf("outgoing: %s, %s", a, b)
	}
	s, _ := n.Socket(id)
	socketio.OnAck(s, "open", func(context.Context, *socketio.Socket, socketio.None) (string, error) {
		return "own", nil
	})
	c.send(`425["open"]`)
	c.want(`435["own"]`)
}

func TestOperatorsAcrossNodes(t *testing.T) { onEachBus(t, testOperatorsAcrossNodes) }

func testOperatorsAcrossNodes(t *testing.T, cluster clusterFunc) {
	nodes := cluster(t, 2, socketio.Options{})
	a, b := nodes[0], nodes[1]
	ca, ida := connect(t, a)
	cb, idb := connect(t, b)
	cc, idc := connect(t, b)
	sa, _ := a.Socket(ida)
	if err := sa.Join("red", "blue"); err != nil {
		t.Fatal(err)
	}
	sb, _ := b.Socket(idb)
	if err := sb.Join("red"); err != nil {
		t.Fatal(err)
	}
	quiet := func() {
		t.Helper()
		ca.quiet(a, ida)
		cb.quiet(a, idb)
		cc.quiet(a, idc)
	}
	mustEmit(t, a.Emit(bg, "all"))
	for _, c := range []*client{ca, cb, cc} {
		c.want(`42["all"]`)
	}
	mustEmit(t, b.To("red", "blue").Emit(bg, "union")) // ca is in both, gets one
	ca.want(`42["union"]`)
	cb.want(`42["union"]`)
	mustEmit(t, a.Except("blue").Emit(bg, "except"))
	cb.want(`42["except"]`)
	cc.want(`42["except"]`)
	mustEmit(t, sb.To("red").Emit(bg, "others"))
	ca.want(`42["others"]`)
	mustEmit(t, sb.Broadcast().Emit(bg, "rest"))
	ca.want(`42["rest"]`)
	cc.want(`42["rest"]`)
	mustEmit(t, b.Local().Emit(bg, "local"))
	cb.want(`42["local"]`)
	cc.want(`42["local"]`)
	mustEmit(t, a.To(belfry.Room(idc)).Emit(bg, "direct"))
	cc.want(`42["direct"]`)
	mustEmit(t, a.To("nobody").Emit(bg, "lost"))
	quiet()

	mustEmit(t, a.In(belfry.Room(idc)).SocketsJoin(bg, "green"))
	mustEmit(t, a.To("green").Emit(bg, "green"))
	cc.want(`42["green"]`)
	rooms, err := a.AllRooms(bg)
	if err != nil || fmt.Sprint(rooms) != "[blue green red]" {
		t.Errorf("all rooms: %v, %v", rooms, err)
	}
	mustEmit(t, a.In("green").SocketsLeave(bg, "green"))
	mustEmit(t, a.To("green").Emit(bg, "gone"))
	sb.SetData(map[string]int{"age": 7})
	sockets, err := a.In("red").FetchSockets(bg)
	if err != nil || len(sockets) != 2 {
		t.Fatalf("fetchSockets: %d sockets, %v", len(sockets), err)
	}
	for _, s := range sockets {
		if s.ID == idb && (s.Node != b.NodeID() || string(s.Data) != `{"age":7}` || fmt.Sprint(s.Rooms) != fmt.Sprintf("[%s red]", idb)) {
			t.Errorf("remote socket is %+v", s)
		}
		mustEmit(t, s.Emit(bg, "remote"))
	}
	ca.want(`42["remote"]`)
	cb.want(`42["remote"]`)
	quiet()
	mustEmit(t, a.In("red").DisconnectSockets(bg, false))
	ca.want("41")
	cb.want("41")
	cc.quiet(a, idc)
}

func TestBroadcastAcks(t *testing.T) { onEachBus(t, testBroadcastAcks) }

func testBroadcastAcks(t *testing.T, cluster clusterFunc) {
	nodes := cluster(t, 2, socketio.Options{})
	ca, _ := connect(t, nodes[0])
	cb, _ := connect(t, nodes[1])
	type result struct {
		args []socketio.Args
		err  error
	}
	ask := func(ctx context.Context) chan result {
		done := make(chan result, 1)
		go func() {
			args, err := nodes[0].EmitAck(ctx, "q", "?")
			done <- result{args, err}
		}()
		return done
	}
	answer := func(c *client, body string, attachments ...string) {
		t.Helper()
		q := c.read()
		id, ok := strings.CutSuffix(strings.TrimPrefix(q, "42"), `["q","?"]`)
		if !ok {
			t.Fatalf("got %q", q)
		}
		prefix := "43"
		if len(attachments) > 0 {
			prefix = fmt.Sprintf("46%d-", len(attachments))
		}
		c.send(prefix + id + body)
		c.send(attachments...)
	}
	done := ask(bg)
	answer(ca, `["yes",1]`)
	answer(cb, `[{"_placeholder":true,"num":0}]`, "bin:\x07")
	r := <-done
	if r.err != nil || len(r.args) != 2 {
		t.Fatalf("got %d answers, %v", len(r.args), r.err)
	}
	for _, a := range r.args {
		var b []byte
		if a.Len() == 1 && (a.Decode(&b) != nil || string(b) != "\x07") {
			t.Errorf("binary answer is %q", b)
		}
	}
	ctx, cancel := context.WithTimeout(bg, 2*time.Second)
	defer cancel()
	done = ask(ctx)
	answer(ca, `["yes",2]`)
	r = <-done
	// Its node says that it waited in vain; on a busy machine the node itself is too late.
	if !errors.Is(r.err, socketio.ErrTimeout) && !errors.As(r.err, new(*hub.Incomplete)) || len(r.args) != 1 {
		t.Errorf("one silent client: %d answers, %v", len(r.args), r.err)
	}
}

func TestSocketAcks(t *testing.T) {
	n := newNode(t, socketio.Options{})
	c, id := connect(t, n)
	s, _ := n.Socket(id)
	type answer struct {
		v   int
		err error
	}
	done := make(chan answer, 1)
	call := func(ctx context.Context) {
		v, err := socketio.Call[int](ctx, s, "q", 1)
		done <- answer{v, err}
	}
	go call(bg)
	c.want(`420["q",1]`)
	c.send(`430[42]`)
	if a := <-done; a.v != 42 || a.err != nil {
		t.Errorf("got %+v", a)
	}
	ctx, cancel := context.WithTimeout(bg, 200*time.Millisecond)
	defer cancel()
	call(ctx)
	if a := <-done; !errors.Is(a.err, socketio.ErrTimeout) {
		t.Errorf("silent client: %v", a.err)
	}
	c.want(`421["q",1]`)
	c.send(`431[1]`, `4399[1]`, `43["no id"]`) // late, unknown, without id: ignored
	go call(bg)
	c.want(`422["q",1]`)
	_ = c.ws.CloseNow()
	if a := <-done; !errors.Is(a.err, socketio.ErrDisconnected) {
		t.Errorf("client gone: %v", a.err)
	}
	if err := s.Emit(bg, "x"); !errors.Is(err, socketio.ErrDisconnected) {
		t.Errorf("emit to a disconnected socket: %v", err)
	}
}

// A handler may wait for the answer of its own client: acks do not wait behind
// it in the inbox.
func TestHandlerAsksItsOwnClient(t *testing.T) {
	n := newNode(t, socketio.Options{})
	socketio.OnAck(n, "start", func(ctx context.Context, s *socketio.Socket, _ socketio.None) (string, error) {
		return socketio.Call[string](ctx, s, "name?")
	})
	c, _ := connect(t, n)
	c.send(`421["start"]`)
	c.want(`420["name?"]`)
	c.send(`430["ada"]`)
	c.want(`431["ada"]`)
}

func TestServerSideEmit(t *testing.T) { onEachBus(t, testServerSideEmit) }

func testServerSideEmit(t *testing.T, cluster clusterFunc) {
	nodes := cluster(t, 3, socketio.Options{})
	for i, n := range nodes {
		socketio.OnServerSide(n.Namespace, "sum", func(_ context.Context, a socketio.Args) (int, error) {
			var x, y int
			if err := a.Decode(&x, &y); err != nil {
				return 0, err
			}
			return x + y + 100*i, nil
		})
	}
	answers, err := nodes[0].ServerSideEmitAck(bg, "sum", 1, 2)
	if err != nil || len(answers) != 2 {
		t.Fatalf("%d answers, %v", len(answers), err)
	}
	sum := 0
	for _, a := range answers {
		var v int
		if err := a.Decode(&v); err != nil {
			t.Fatal(err)
		}
		sum += v
	}
	if sum != 3+100+3+200 {
		t.Errorf("sum is %d", sum)
	}
	if _, err := nodes[0].ServerSideEmitAck(bg, "unknown"); err == nil || !strings.Contains(err.Error(), `no handler for server-side event "unknown"`) {
		t.Errorf("unknown event: %v", err)
	}
}

func TestDynamicNamespaces(t *testing.T) {
	n := newNode(t, socketio.Options{RemoveEmptyNamespaces: true})
	dyn := n.OfPattern(regexp.MustCompile(`^/tenant-\d+$`))
	socketio.OnAck(dyn, "where", func(_ context.Context, s *socketio.Socket, _ socketio.None) (string, error) {
		return s.Namespace().Name(), nil
	})
	c := dial(t, n)
	c.connect("/tenant-7", "")
	c.connect("/tenant-8", "")
	c.send(`42/tenant-7,1["where"]`)
	c.want(`43/tenant-7,1["/tenant-7"]`)
	c.send(`40/tenant-x,`)
	c.want(`44/tenant-x,{"message":"Invalid namespace"}`)
	mustEmit(t, dyn.Emit(bg, "hi"))
	if a, b := c.read(), c.read(); a[:11] == b[:11] || !strings.HasSuffix(a, `,["hi"]`) || !strings.HasSuffix(b, `,["hi"]`) {
		t.Errorf("got %q and %q", a, b)
	}
	if _, err := dyn.FetchSockets(bg); err == nil {
		t.Error("FetchSockets on the parent succeeded")
	}
	before := n.Of("/tenant-7")
	c.send(`41/tenant-7,`)
	fronttest.Eventually(t, "the empty namespace is removed", func() bool { return n.Of("/tenant-7") != before })
}

func TestLocalCallOrder(t *testing.T) { onEachBus(t, testLocalCallOrder) }

func testLocalCallOrder(t *testing.T, cluster clusterFunc) {
	for _, recovery := range []*socketio.Recovery{nil, {}} {
		nodes := cluster(t, 2, socketio.Options{Recovery: recovery})
		n := nodes[0]
		for i := range 20 {
			c, id := connect2(t, n)
			s, _ := n.Socket(id)
			mustEmit(t, n.Emit(bg, "a"))
			mustEmit(t, s.Emit(bg, "b"))
			mustEmit(t, n.To("r").Emit(bg, "before-join"))
			_ = s.Join("r")
			mustEmit(t, n.To("r").Emit(bg, "in"))
			s.Leave("r")
			mustEmit(t, n.To("r").Emit(bg, "after-leave"))
			mustEmit(t, n.Emit(bg, "bye"))
			s.Disconnect(true)
			var got []string
			for _, p := range c.wantClosed() {
				got = append(got, eventName(p))
			}
			if strings.Join(got, " ") != "a b in bye 41" {
				t.Fatalf("round %d, recovery %v: got %v", i, recovery != nil, got)
			}
		}
	}
}

func connect2(t testing.TB, n *node) (*client, belfry.SocketID) {
	t.Helper()
	c := dial(t, n)
	id, _ := c.connectSession("/", "")
	return c, id
}

// eventName returns the name of an event packet, other packets whole.
func eventName(p string) string {
	var parts []any
	if json.Unmarshal([]byte(strings.TrimPrefix(p, "42")), &parts) != nil || len(parts) == 0 {
		return p
	}
	return fmt.Sprint(parts[0])
}

func TestDisconnectReasonsAndRooms(t *testing.T) {
	n := newNode(t, socketio.Options{})
	type end struct {
		reason socketio.Reason
		rooms  int
	}
	ends := make(chan end, 10)
	n.OnDisconnect(func(s *socketio.Socket, r socketio.Reason) { ends <- end{r, len(s.Rooms())} })
	join := func() (*client, *socketio.Socket) {
		c, id := connect(t, n)
		s, _ := n.Socket(id)
		if err := s.Join("r"); err != nil {
			t.Fatal(err)
		}
		return c, s
	}
	c, s := join()
	c.send("41")
	wantEnd := func(r socketio.Reason) {
		t.Helper()
		if e := <-ends; e.reason != r || e.rooms != 2 {
			t.Errorf("got %+v, want reason %q with 2 rooms", e, r)
		}
	}
	wantEnd("client namespace disconnect")
	if s.Context().Err() == nil {
		t.Error("context of a disconnected socket is alive")
	}
	c, s = join()
	s.Disconnect(false)
	c.want("41")
	wantEnd("server namespace disconnect")
	c, s = join()
	s.Disconnect(true)
	if got := c.wantClosed(); len(got) != 1 || got[0] != "41" {
		t.Errorf("before the end: %q", got)
	}
	wantEnd("server namespace disconnect")
	c, _ = join()
	_ = c.ws.CloseNow()
	wantEnd("transport close")
	c, _ = join()
	c.send("4nonsense")
	c.wantClosed()
	wantEnd("forced close")
	if got := n.Len(); got != 0 {
		t.Errorf("%d sockets left", got)
	}
}

func TestServerCloseSendsNoDisconnect(t *testing.T) {
	n := newNode(t, socketio.Options{})
	reasons := make(chan socketio.Reason, 1)
	n.OnDisconnect(func(_ *socketio.Socket, r socketio.Reason) { reasons <- r })
	c, _ := connect(t, n)
	closed := make(chan error, 1)
	go func() { closed <- n.Close(bg) }()
	if got := c.wantClosed(); len(got) != 0 {
		t.Errorf("got %q before the end", got)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if r := <-reasons; r != "server shutting down" {
		t.Errorf("reason is %q", r)
	}
}

// A node that is asked while it is still being made answers.
func TestAskedWhileAttaching(t *testing.T) {
	bus := memory.New(memory.Options{})
	asker := newNode(t, socketio.Options{Bus: bus})
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			if _, err := asker.FetchSockets(bg); err != nil {
				t.Error(err)
				return
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	for range 30 {
		newNode(t, socketio.Options{Bus: bus})
	}
	close(stop)
	<-stopped
}
