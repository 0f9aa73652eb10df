package stomp_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/internal/fronttest"
	"github.com/seed-09a96375/belfry/socketio"
	"github.com/seed-09a96375/belfry/stomp"
	"github.com/seed-09a96375/belfry/stomp/frame"
)

const patience = fronttest.Patience

// node serves STOMP and Socket.IO clients on a port of its own.
type node struct {
	*stomp.Server
	io  *socketio.Server
	url string
}

func newNode(t testing.TB, o stomp.Options) *node {
	t.Helper()
	return newNodeOn(t, nil, o)
}

// newNodeOn starts a node that the test closes. bus nil: it is alone.
func newNodeOn(t testing.TB, bus belfry.Bus, o stomp.Options) *node {
	t.Helper()
	io, err := socketio.New(socketio.Options{Bus: bus})
	if err != nil {
		t.Fatal(err)
	}
	if o.Poller == nil {
		o.Poller = io.Engine().Poller()
	}
	srv, err := stomp.New(io.Hub(), o)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/stomp", srv)
	mux.Handle("/stomp/websocket", srv)
	mux.Handle("/socket.io/", io)
	web := httptest.NewServer(mux)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := errors.Join(srv.Close(ctx), io.Close(ctx)); err != nil {
			t.Errorf("close: %v", err)
		}
		web.Close()
	})
	return &node{Server: srv, io: io, url: web.URL}
}

// onEachBus runs a test with two nodes over every bus there is.
func onEachBus(t *testing.T, o stomp.Options, test func(t *testing.T, a, b *node)) {
	for name, begin := range fronttest.Buses() {
		t.Run(name, func(t *testing.T) {
			next := begin(t)
			test(t, newNodeOn(t, next(), o), newNodeOn(t, next(), o))
		})
	}
}

// client is a raw STOMP client: it shows every frame.
type client struct {
	t       testing.TB
	ws      *websocket.Conn
	version frame.Version
	beats   int // heart-beats so far
}

func dial(t testing.TB, n *node) *client {
	t.Helper()
	return dialPath(t, n, "/stomp", nil)
}

func dialPath(t testing.TB, n *node, path string, o *websocket.DialOptions) *client {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, n.url+path, o)
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	ws.SetReadLimit(-1)
	t.Cleanup(func() { _ = ws.CloseNow() })
	return &client{t: t, ws: ws, version: frame.V12}
}

// connect opens a connection of version 1.2.
func connect(t testing.TB, n *node, headers ...string) *client {
	t.Helper()
	c := dial(t, n)
	c.send("CONNECT", "", append([]string{"accept-version:1.0,1.1,1.2", "host:test"}, headers...)...)
	c.want("CONNECTED")
	return c
}

// send sends a frame whose headers are as they stand on the wire.
func (c *client) send(command, body string, headers ...string) {
	c.t.Helper()
	var b strings.Builder
	b.WriteString(command + "\n")
	for _, h := range headers {
		b.WriteString(h + "\n")
	}
	b.WriteString("\n" + body + "\x00")
	c.write(b.String())
}

func (c *client) write(raw string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	typ := websocket.MessageText
	if strings.ToValidUTF8(raw, "") != raw {
		typ = websocket.MessageBinary
	}
	if err := c.ws.Write(ctx, typ, []byte(raw)); err != nil {
		c.t.Fatalf("send %q: %v", raw, err)
	}
}

// next returns the next frame that is no heart-beat.
func (c *client) next() (*frame.Frame, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		_, data, err := c.ws.Read(ctx)
		if err != nil {
			return nil, err
		}
		if string(data) == "\n" {
			c.beats++
			continue
		}
		f := new(frame.Frame)
		if err := frame.Decode(f, data, c.version); err != nil {
			return nil, err
		}
		return f, nil
	}
}

// want reads a frame of that command with these headers, each "name:value".
func (c *client) want(command string, headers ...string) *frame.Frame {
	c.t.Helper()
	f, err := c.next()
	if err != nil {
		c.t.Fatalf("read: %v, want %s", err, command)
	}
	if f.Command != command {
		c.t.Fatalf("got %s %q %s, want %s", f.Command, f.Headers, f.Body, command)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ":")
		if got, ok := f.Get(name); !ok || string(got) != value {
			c.t.Errorf("%s has %s %q, want %q", command, name, got, value)
		}
	}
	return f
}

// wantError reads an ERROR that says so, and the end of the connection.
func (c *client) wantError(says string, code websocket.StatusCode) *frame.Frame {
	c.t.Helper()
	f := c.want("ERROR")
	if !strings.Contains(f.Value("message"), says) {
		c.t.Errorf("the error says %q, want %q", f.Value("message"), says)
	}
	c.wantClosed(code)
	return f
}

func (c *client) wantClosed(code websocket.StatusCode) {
	c.t.Helper()
	f, err := c.next()
	if err == nil {
		c.t.Fatalf("got %s, want the end", f.Command)
	}
	if got := websocket.CloseStatus(err); got != code {
		c.t.Errorf("closed with %d (%v), want %d", got, err, code)
	}
}

// subscribe subscribes and waits until it holds.
func (c *client) subscribe(id, destination string, headers ...string) {
	c.t.Helper()
	c.send("SUBSCRIBE", "", append([]string{"id:" + id, "destination:" + destination, "receipt:sub-" + id}, headers...)...)
	c.want("RECEIPT", "receipt-id:sub-"+id)
}

// quiet asserts that nothing but what was sent before arrives.
func (c *client) quiet() {
	c.t.Helper()
	c.send("BEGIN", "", "transaction:quiet", "receipt:quiet")
	c.want("RECEIPT", "receipt-id:quiet")
	c.send("ABORT", "", "transaction:quiet")
}

// ioClient is a Socket.IO client in the main namespace.
type ioClient struct {
	t  testing.TB
	ws *websocket.Conn
	id belfry.SocketID
}

// connectIO opens one whose server side joins the room.
func connectIO(t testing.TB, n *node, room belfry.Room) *ioClient {
	t.Helper()
	joined := make(chan *socketio.Socket, 1)
	n.io.OnConnect(func(_ context.Context, s *socketio.Socket) {
		if err := s.Join(room); err != nil {
			t.Error(err)
		}
		select {
		case joined <- s:
		default:
		}
	})
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, n.url+"/socket.io/?EIO=4&transport=websocket", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.CloseNow() })
	c := &ioClient{t: t, ws: ws}
	c.read() // handshake
	c.send("40")
	c.read() // connected
	select {
	case s := <-joined:
		c.id = s.ID()
	case <-ctx.Done():
		t.Fatal("not connected")
	}
	return c
}

func (c *ioClient) send(p string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := c.ws.Write(ctx, websocket.MessageText, []byte(p)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *ioClient) read() string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		_, data, err := c.ws.Read(ctx)
		if err != nil {
			c.t.Fatalf("read: %v", err)
		}
		if string(data) == "2" {
			c.send("3")
			continue
		}
		return string(data)
	}
}

func (c *ioClient) want(packets ...string) {
	c.t.Helper()
	for _, p := range packets {
		if got := c.read(); got != p {
			c.t.Fatalf("got packet %q, want %q", got, p)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
