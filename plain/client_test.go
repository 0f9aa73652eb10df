package plain_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/internal/fronttest"
	"github.com/seed-09a96375/belfry/plain"
	"github.com/seed-09a96375/belfry/socketio"
	"github.com/seed-09a96375/belfry/stomp"
)

const patience = fronttest.Patience

// node serves clients of all fronts on a port of its own.
type node struct {
	*plain.Server
	io  *socketio.Server
	url string
}

func newNode(t testing.TB, o plain.Options) *node {
	t.Helper()
	return newNodeOn(t, memory.New(memory.Options{Log: &memory.Log{}}), o)
}

// newNodeOn starts a node that the test closes.
func newNodeOn(t testing.TB, bus belfry.Bus, o plain.Options) *node {
	t.Helper()
	n := startNode(t, bus, o)
	t.Cleanup(func() { n.stop(t) })
	return n.node
}

// running is a node that can be stopped before the test ends.
type running struct {
	*node
	stop func(t testing.TB)
}

func startNode(t testing.TB, bus belfry.Bus, o plain.Options) *running {
	t.Helper()
	io, err := socketio.New(socketio.Options{Bus: bus, Presence: o.Presence})
	must(t, err)
	if o.Poller == nil {
		o.Poller = io.Engine().Poller()
	}
	srv, err := plain.New(io.Hub(), o)
	must(t, err)
	other, err := stomp.New(io.Hub(), stomp.Options{Poller: o.Poller})
	must(t, err)
	mux := http.NewServeMux()
	mux.Handle("/ws", srv.WebSocket())
	mux.Handle("/sse", srv.EventStream())
	mux.Handle("/stomp", other)
	mux.Handle("/socket.io/", io)
	web := httptest.NewServer(mux)
	stopped := false
	return &running{&node{srv, io, web.URL}, func(t testing.TB) {
		if stopped {
			return
		}
		stopped = true
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := errors.Join(srv.Close(ctx), other.Close(ctx), io.Close(ctx)); err != nil {
			t.Errorf("close: %v", err)
		}
		web.Close()
	}}
}

// onEachBus runs a test with two nodes over every bus there is.
func onEachBus(t *testing.T, o plain.Options, test func(t *testing.T, a, b *node)) {
	for name, begin := range fronttest.Buses() {
		t.Run(name, func(t *testing.T) {
			next := begin(t)
			test(t, newNodeOn(t, next(), o), newNodeOn(t, next(), o))
		})
	}
}

// message is anything that a client may get.
type message struct {
	ID    any             `json:"id"`
	OK    *answer         `json:"ok"`
	Error *plain.Error    `json:"error"`
	Room  belfry.Room     `json:"room"`
	Rooms []belfry.Room   `json:"rooms"`
	Event string          `json:"event"`
	Args  json.RawMessage `json:"args"`
	At    belfry.Offset   `json:"offset"`
	Ack   uint64          `json:"ack"`
	Gap   *roomList       `json:"gap"`
	Join  *roomList       `json:"joined"`
	Left  *roomList       `json:"left"`
	raw   string
}

type roomList struct {
	Rooms []belfry.Room `json:"rooms"`
}

type answer struct {
	ID        belfry.SocketID  `json:"id"`
	User      string           `json:"user"`
	Offset    belfry.Offset    `json:"offset"`
	Position  belfry.Offset    `json:"position"`
	Recovered *bool            `json:"recovered"`
	Missed    int              `json:"missed"`
	Duplicate bool             `json:"duplicate"`
	Args      json.RawMessage  `json:"args"`
	Expires   int64            `json:"expires"`
	Members   []belfry.Present `json:"members"`
}

// client is a WebSocket client that shows every message but the marks.
type client struct {
	t  testing.TB
	ws *websocket.Conn
}

func dial(t testing.TB, n *node, query string, o *websocket.DialOptions) *client {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, n.url+"/ws"+query, o)
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	ws.SetReadLimit(-1)
	t.Cleanup(func() { _ = ws.CloseNow() })
	return &client{t: t, ws: ws}
}

func connect(t testing.TB, n *node) *client {
	t.Helper()
	c := dial(t, n, "", nil)
	c.ask(`"connect":{}`)
	return c
}

func (c *client) write(text string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := c.ws.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		c.t.Fatalf("send %s: %v", text, err)
	}
}

// next returns the next message that is no mark.
func (c *client) next() (*message, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		_, data, err := c.ws.Read(ctx)
		if err != nil {
			return nil, err
		}
		m := &message{raw: string(data)}
		if err := json.Unmarshal(data, m); err != nil {
			return nil, errors.New(err.Error() + ": " + m.raw)
		}
		if m.At != "" && m.Event == "" {
			continue
		}
		return m, nil
	}
}

func (c *client) read() *message {
	c.t.Helper()
	m, err := c.next()
	if err != nil {
		c.t.Fatalf("read: %v", err)
	}
	return m
}

// ask sends a request and returns the answer, which must come next.
func (c *client) ask(request string) *answer {
	c.t.Helper()
	c.write(`{"id":1,` + request + `}`)
	m := c.read()
	if m.OK == nil || m.ID != 1.0 {
		c.t.Fatalf("%s: got %s", request, m.raw)
	}
	return m.OK
}

// refused sends a request that is answered with an error of that code, and with that
// in its text.
func (c *client) refused(request, code, says string) {
	c.t.Helper()
	c.write(request)
	c.wantError(code, says)
}

func (c *client) wantError(code, says string) {
	c.t.Helper()
	m := c.read()
	if m.Error == nil || m.Error.Code != code || !strings.Contains(m.Error.Message, says) {
		c.t.Fatalf("got %s, want error %s that says %q", m.raw, code, says)
	}
}

// want reads one event.
func (c *client) want(room belfry.Room, event, args string) *message {
	c.t.Helper()
	m := c.read()
	if m.Room != room || m.Event != event || string(m.Args) != args {
		c.t.Fatalf("got %s, want %s %s %s", m.raw, room, event, args)
	}
	return m
}

func (c *client) wantClosed(code websocket.StatusCode) {
	c.t.Helper()
	m, err := c.next()
	if err == nil {
		c.t.Fatalf("got %s, want the end", m.raw)
	}
	if got := websocket.CloseStatus(err); got != code {
		c.t.Errorf("closed with %d (%v), want %d", got, err, code)
	}
}

// quiet asserts that nothing but what was sent before arrives.
func (c *client) quiet() {
	c.t.Helper()
	c.ask(`"ping":{}`)
}

// stream is a client with an event stream.
type stream struct {
	t      testing.TB
	lines  *bufio.Reader
	status int
	header http.Header
	close  func()
	id     string // the last so far
}

// event is one event of a stream.
type event struct {
	name, id string
	message
	open struct {
		ID        belfry.SocketID `json:"id"`
		User      string          `json:"user"`
		Rooms     []belfry.Room   `json:"rooms"`
		Recovered *bool           `json:"recovered"`
		Missed    int             `json:"missed"`
	}
}

func listen(t testing.TB, n *node, query string, header http.Header) *stream {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, n.url+"/sse"+query, nil)
	must(t, err)
	maps.Copy(r.Header, header)
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := transport.RoundTrip(r)
	must(t, err)
	s := newStream(resp)
	s.t = t
	s.close = func() {
		cancel()
		_ = resp.Body.Close()
		transport.CloseIdleConnections()
	}
	t.Cleanup(s.close)
	return s
}

func newStream(r *http.Response) *stream {
	return &stream{lines: bufio.NewReader(r.Body), status: r.StatusCode, header: r.Header}
}

// next returns the next event that has data. The id is that of the last event so far,
// as in an EventSource.
func (s *stream) next() (*event, error) {
	e := &event{name: "message", id: s.id}
	data := ""
	for {
		line, err := s.lines.ReadString('\n')
		if err != nil {
			return nil, err
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch {
		case line == "\n" && data == "":
			e.name = "message"
		case line == "\n":
			e.raw = data
			return e, errors.Join(json.Unmarshal([]byte(data), &e.message), json.Unmarshal([]byte(data), &e.open))
		case name == "event":
			e.name = value
		case name == "id":
			e.id, s.id = value, value
		case name == "data":
			data += value
		}
	}
}

func (s *stream) read() *event {
	s.t.Helper()
	type result struct {
		e   *event
		err error
	}
	done := make(chan result, 1)
	go func() {
		e, err := s.next()
		done <- result{e, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			s.t.Fatalf("read: %v", r.err)
		}
		return r.e
	case <-time.After(patience):
		s.close()
		<-done
		s.t.Fatal("nothing comes")
		return nil
	}
}

func (s *stream) want(room belfry.Room, name, args string) *event {
	s.t.Helper()
	e := s.read()
	if e.name != name || e.Room != room || string(e.Args) != args {
		s.t.Fatalf("got %s %s, want %s %s %s", e.name, e.raw, room, name, args)
	}
	return e
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// missing skips a test that needs what is not there, or fails it with
// BELFRY_REQUIRE=all.
func missing(t *testing.T, what, hint string) {
	t.Helper()
	if os.Getenv("BELFRY_REQUIRE") == "all" {
		t.Fatalf("%s is missing: %s", what, hint)
	}
	t.Skipf("%s is missing: %s", what, hint)
}

// publishRaw publishes data as it is.
func publishRaw(t testing.TB, h *hub.Hub, room belfry.Room, data string) error {
	return h.Space("/", hub.Hooks{}).Publish(t.Context(), &belfry.Message{Target: belfry.Target{Rooms: []belfry.Room{room}}, Data: []byte(data)})
}
