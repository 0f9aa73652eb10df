package socketio_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/internal/fronttest"
	"github.com/seed-09a96375/belfry/socketio"
)

const patience = fronttest.Patience

// node is one server on a port of its own.
type node struct {
	*socketio.Server
	url string
	bus belfry.Bus // nil: its own
}

// newNode starts a server that the test closes.
func newNode(t testing.TB, o socketio.Options) *node {
	t.Helper()
	srv, err := socketio.New(o)
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(srv)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := srv.Close(ctx); err != nil {
			t.Errorf("close server: %v", err)
		}
		web.Close()
	})
	return &node{Server: srv, url: web.URL, bus: o.Bus}
}

// cluster starts n servers on one memory bus.
func cluster(t testing.TB, n int, o socketio.Options) []*node {
	t.Helper()
	options := memory.Options{}
	if o.Recovery != nil {
		options.Log = &memory.Log{}
	}
	o.Bus = memory.New(options)
	nodes := make([]*node, n)
	for i := range nodes {
		nodes[i] = newNode(t, o)
	}
	return nodes
}

// client is a raw Engine.IO 4 client over WebSocket: it shows every packet.
type client struct {
	t    testing.TB
	ws   *websocket.Conn
	auto bool // answer pings

	unread []string // packets to read first
}

// dial opens the Engine.IO session and reads its handshake.
func dial(t testing.TB, n *node) *client {
	t.Helper()
	return dialQuery(t, n, "EIO=4")
}

func dialQuery(t testing.TB, n *node, query string) *client {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, n.url+"/socket.io/?transport=websocket&"+query, nil)
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	ws.SetReadLimit(-1)
	c := &client{t: t, ws: ws, auto: true}
	t.Cleanup(func() { _ = ws.CloseNow() })
	if open := c.read(); !strings.HasPrefix(open, `0{"sid":"`) {
		t.Fatalf("first packet is %q, want the handshake", open)
	}
	return c
}

// connect joins a namespace and returns the socket's id.
func connect(t testing.TB, n *node) (*client, belfry.SocketID) {
	t.Helper()
	c := dial(t, n)
	return c, c.connect("/", "")
}

func (c *client) connect(namespace, auth string) belfry.SocketID {
	c.t.Helper()
	id, _ := c.connectSession(namespace, auth)
	return id
}

// connectSession also returns the session id that recovery gives.
func (c *client) connectSession(namespace, auth string) (belfry.SocketID, string) {
	c.t.Helper()
	prefix := "40"
	if namespace != "/" {
		prefix += namespace + ","
	}
	c.send(prefix + auth)
	reply := c.read()
	return c.hello(prefix, reply)
}

func (c *client) hello(prefix, reply string) (belfry.SocketID, string) {
	c.t.Helper()
	var hello struct{ SID, PID string }
	body, ok := strings.CutPrefix(reply, prefix)
	if !ok || json.Unmarshal([]byte(body), &hello) != nil || len(hello.SID) != 20 {
		c.t.Fatalf("answer to CONNECT is %q", reply)
	}
	return belfry.SocketID(hello.SID), hello.PID
}

func (c *client) send(packets ...string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, p := range packets {
		typ, data := websocket.MessageText, []byte(p)
		if b, ok := strings.CutPrefix(p, "bin:"); ok {
			typ, data = websocket.MessageBinary, []byte(b)
		}
		if err := c.ws.Write(ctx, typ, data); err != nil {
			c.t.Fatalf("send %q: %v", p, err)
		}
	}
}

// read returns the next packet; binary messages begin with "bin:". Pings are
// answered.
func (c *client) read() string {
	c.t.Helper()
	p, err := c.next()
	if err != nil {
		c.t.Fatalf("read: %v", err)
	}
	return p
}

func (c *client) next() (string, error) {
	if len(c.unread) > 0 {
		p := c.unread[0]
		c.unread = c.unread[1:]
		return p, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		typ, data, err := c.ws.Read(ctx)
		if err != nil {
			return "", err
		}
		switch {
		case typ == websocket.MessageBinary:
			return "bin:" + string(data), nil
		case c.auto && string(data) == "2":
			if err := c.ws.Write(ctx, websocket.MessageText, []byte("3")); err != nil {
				return "", err
			}
		default:
			return string(data), nil
		}
	}
}

// pump goes on reading, so that pings are answered, until the connection ends.
func (c *client) pump() {
	go func() {
		for {
			if _, err := c.next(); err != nil {
				return
			}
		}
	}()
}

// want reads packets and compares them.
func (c *client) want(packets ...string) {
	c.t.Helper()
	for _, w := range packets {
		if got := c.read(); got != w {
			c.t.Fatalf("got packet %q, want %q", got, w)
		}
	}
}

// wantClosed reads until the connection ends and returns what came before.
func (c *client) wantClosed() (before []string) {
	c.t.Helper()
	for {
		p, err := c.next()
		if err == nil {
			before = append(before, p)
			continue
		}
		if context.Cause(context.Background()) == nil && strings.Contains(err.Error(), "deadline") {
			c.t.Fatalf("connection still open after %v; got %q", patience, before)
		}
		return before
	}
}

// quiet asserts that nothing but what was sent before the marker arrives: it
// makes the server emit a marker to this client alone and expects it next.
func (c *client) quiet(n *node, id belfry.SocketID) {
	c.t.Helper()
	if err := n.In(belfry.Room(id)).Emit(context.Background(), "marker"); err != nil {
		c.t.Fatal(err)
	}
	p := c.read()
	if !strings.HasPrefix(p, `42["marker"`) {
		c.t.Fatalf("got packet %q, want none before the marker", p)
	}
}

func mustEmit(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("emit: %v", err)
	}
}

func event(name string, args ...any) string {
	b, err := json.Marshal(append([]any{name}, args...))
	if err != nil {
		panic(err)
	}
	return "42" + string(b)
}

type ctx = context.Context
