package plain_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/internal/fronttest"
	"github.com/seed-09a96375/belfry/plain"
)

// TestFaultsAreNamed: whatever is wrong with a request is said, with the id of the
// request if it has one, and the connection goes on.
func TestFaultsAreNamed(t *testing.T) {
	n := newNode(t, plain.Options{})
	c := connect(t, n)
	for request, want := range map[string][2]string{
		`{`:                                   {"invalid_json", "not JSON"},
		``:                                    {"invalid_json", "not JSON"},
		`{"ping":{}} {"ping":{}}`:             {"invalid_json", "one JSON object"},
		`[1]`:                                 {"invalid_request", "must be a JSON object"},
		`{}`:                                  {"invalid_request", `like {"id":1,"join"`},
		`{"ping":{},"join":{}}`:               {"invalid_request", "2 of them"},
		`{"jion":{}}`:                         {"invalid_request", `unknown field "jion"`},
		`{"join":{"rom":"x"}}`:                {"invalid_request", `unknown field "rom"`},
		`{"id":[1],"ping":{}}`:                {"invalid_request", "id must be"},
		`{"join":{"room":5}}`:                 {"invalid_request", "join.room cannot be number"},
		`{"join":{}}`:                         {"invalid_request", "room is missing"},
		`{"join":{"rooms":[]}}`:               {"invalid_request", "is empty"},
		`{"join":{"room":"a","rooms":["b"]}}`: {"invalid_request", "give one of them"},
		`{"join":{"room":"\u0000user:ann"}}`:  {"forbidden", "zero byte"},
		`{"join":{"room":"abcdefghijklmnopqrst"}}`:             {"forbidden", "id of a client"},
		`{"join":{"room":"` + strings.Repeat("x", 513) + `"}}`: {"invalid_request", "513 bytes"},
		`{"leave":{}}`:                                                  {"invalid_request", "room is missing"},
		`{"publish":{"event":"e"}}`:                                     {"invalid_request", "room is missing"},
		`{"publish":{"room":"r"}}`:                                      {"invalid_request", "name of the event"},
		`{"publish":{"room":"r","event":"connect"}}`:                    {"invalid_request", "reserved"},
		`{"publish":{"room":"r","event":"state"}}`:                      {"forbidden", "cluster alone"},
		`{"publish":{"room":"r","event":"e","args":{}}}`:                {"invalid_request", "must be an array"},
		`{"publish":{"room":"r","event":"e","args":[{"$binary":"?"}]}}`: {"invalid_request", "base64"},
		`{"publish":{"room":"r","event":"e","args":[` + strings.Repeat("[", 600) + strings.Repeat("]", 600) + `]}}`: {"invalid_request", "deep"},
		`{"publish":{"room":"r","event":"e","id":"` + strings.Repeat("x", 200) + `"}}`:                              {"invalid_request", "200 bytes"},
		`{"event":{"name":"e"}}`:    {"no_such_event", "event e"},
		`{"presence":{"room":"r"}}`: {"no_presence", ""},
		`{"refresh":{"token":"x"}}`: {"invalid_request", "no tokens"},
		`{"ack":{"id":7}}`:          {"no_such_ack", ""},
		`{"ack":{"id":-7}}`:         {"invalid_request", "ack.id cannot be number -7"},
		`{"connect":{}}`:            {"already_connected", ""},
	} {
		c.refused(request, want[0], want[1])
	}
	c.write(`{"id":"mine","jion":{}}`)
	if m := c.read(); m.ID != "mine" || m.Error == nil {
		t.Errorf("got %s", m.raw)
	}
	must(t, c.ws.Write(t.Context(), websocket.MessageBinary, []byte("x")))
	c.wantError("invalid_json", "$binary")
	c.quiet()
}

// TestFirstRequestConnects: a person types what it is about, and nothing before.
func TestFirstRequestConnects(t *testing.T) {
	n := newNode(t, plain.Options{})
	c := dial(t, n, "", nil)
	c.write(`{"join":{"room":"r"}}`)
	c.write(`{"publish":{"room":"r","event":"e","args":["hi"]}}`)
	c.want("r", "e", `["hi"]`)
	c.ask(`"leave":{"room":"r"}`)
	emit(t, n, "gone", "r")
	c.quiet()
}

// TestPublish: once for each id, to all or to the others.
func TestPublish(t *testing.T) {
	onEachBus(t, plain.Options{}, func(t *testing.T, a, b *node) {
		one, two := connect(t, a), connect(t, b)
		one.ask(`"join":{"room":"r"}`)
		two.ask(`"join":{"room":"r"}`)
		two.write(`{"id":2,"publish":{"room":"r","event":"e","id":"x","others":true}}`)
		if m := two.read(); m.OK == nil || m.OK.Duplicate || m.OK.Position == "" {
			t.Errorf("got %s", m.raw)
		}
		one.want("r", "e", "[]")
		two.write(`{"id":3,"publish":{"room":"r","event":"e","id":"x","others":true}}`)
		if m := two.read(); m.OK == nil || !m.OK.Duplicate {
			t.Errorf("got %s", m.raw)
		}
		one.quiet()
		two.quiet()
	})
}

// TestApp: events go to the application, whose answer is the client's.
func TestApp(t *testing.T) {
	release := make(chan struct{})
	n := newNode(t, plain.Options{App: func(ctx context.Context, c *plain.Conn, e *plain.Event) (*plain.Answer, error) {
		switch e.Name {
		case "echo":
			return &plain.Answer{Args: e.Args, Attachments: e.Attachments}, nil
		case "later":
			return &plain.Answer{Await: func(ctx context.Context) (*plain.Answer, error) {
				select {
				case <-release:
					return &plain.Answer{Args: []byte(`["late"]`)}, nil
				case <-ctx.Done():
					return nil, ctx.Err()
				}
			}}, nil
		case "coded":
			return nil, coded{}
		case "panic":
			panic("on purpose")
		case "silent":
			return nil, c.Publish(ctx, &belfry.Message{Target: belfry.Target{Rooms: []belfry.Room{"r"}}, Data: []byte(`["from app"]`)})
		}
		return nil, &plain.Error{Code: "no_route", Message: "nobody wants " + e.Name + " " + e.ID}
	}})
	c := connect(t, n)
	c.ask(`"join":{"room":"r"}`)
	if got := c.ask(`"event":{"name":"echo","args":[1.50,{"$binary":"aGk="}]}`); string(got.Args) != `[1.50,{"$binary":"aGk="}]` {
		t.Errorf("echo of %s", got.Args)
	}
	if got := c.ask(`"event":{"name":"echo"}`); string(got.Args) != `[]` {
		t.Errorf("echo of %s", got.Args)
	}
	c.write(`{"id":"l","event":{"name":"later"}}`)
	c.quiet() // other requests do not wait
	close(release)
	if m := c.read(); m.ID != "l" || string(m.OK.Args) != `["late"]` {
		t.Errorf("got %s", m.raw)
	}
	c.refused(`{"event":{"name":"coded"}}`, "teapot", "short")
	c.refused(`{"event":{"name":"x","id":"7"}}`, "no_route", "nobody wants x 7")
	c.write(`{"event":{"name":"silent"}}`)
	c.want("r", "from app", "[]")
	c.write(`{"event":{"name":"panic"}}`)
	c.wantError("failed", "internal error")
	c.wantClosed(websocket.StatusInternalError)
}

type coded struct{}

func (coded) Error() string     { return "short and stout" }
func (coded) ErrorCode() string { return "teapot" }

// TestOwedAnswersEnd with the connection.
func TestOwedAnswersEnd(t *testing.T) {
	begun, over := make(chan struct{}), make(chan struct{})
	n := newNode(t, plain.Options{App: func(context.Context, *plain.Conn, *plain.Event) (*plain.Answer, error) {
		return &plain.Answer{Await: func(ctx context.Context) (*plain.Answer, error) {
			close(begun)
			<-ctx.Done()
			close(over)
			return nil, ctx.Err()
		}}, nil
	}})
	c := connect(t, n)
	c.write(`{"event":{"name":"e"}}`)
	<-begun
	must(t, c.ws.CloseNow())
	wait(t, over)
}

func wait(t testing.TB, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatal("it does not happen")
	}
}

func TestTimeouts(t *testing.T) {
	n := newNode(t, plain.Options{ConnectTimeout: 20 * time.Millisecond, Heartbeat: 50 * time.Millisecond})
	c := dial(t, n, "", nil)
	c.wantError("timeout", "no request in time")
	c.wantClosed(websocket.StatusPolicyViolation)
	// Who reads answers pings: the client's library does. This one does not read.
	conns := make(chan *plain.Conn, 1)
	silent := dial(t, newNode(t, plain.Options{
		Heartbeat: 20 * time.Millisecond,
		Authenticate: func(_ context.Context, c *plain.Conn, _ *plain.Login) (string, error) {
			conns <- c
			return "", nil
		},
	}), "", nil)
	silent.ask(`"connect":{}`)
	conn := <-conns
	fronttest.Eventually(t, "the silent client is given up", func() bool { return !conn.Connected() })
	silent.wantError("timeout", "no sign of life")
	silent.wantClosed(websocket.StatusPolicyViolation)
}

func TestTooLarge(t *testing.T) {
	c := connect(t, newNode(t, plain.Options{MaxMessage: 1000}))
	c.write(`{"publish":{"room":"r","event":"e","args":["` + strings.Repeat("x", 1000) + `"]}}`)
	c.wantClosed(websocket.StatusMessageTooBig)
}

// TestRate: who sends more than it may is slowed down, and loses nothing.
func TestRate(t *testing.T) {
	c := connect(t, newNode(t, plain.Options{MaxRequestsPerSecond: 200, MaxInbox: 10}))
	const n = 260
	begun := time.Now()
	go func() {
		for i := range n {
			_ = c.ws.Write(context.Background(), websocket.MessageText, fmt.Appendf(nil, `{"id":%d,"ping":{}}`, i))
		}
	}()
	for i := range n {
		if m := c.read(); m.ID != float64(i) || m.OK == nil {
			t.Fatalf("answer %d is %s", i, m.raw)
		}
	}
	if took := time.Since(begun); took < 200*time.Millisecond {
		t.Errorf("%d requests took %v", n, took)
	}
}

// awayBus accepts nothing.
type awayBus struct {
	belfry.Bus
	err error
}

type awayLink struct {
	belfry.Link
	err error
}

func (b *awayBus) Attach(ctx context.Context, n belfry.Node) (belfry.Link, error) {
	link, err := b.Bus.Attach(ctx, n)
	return &awayLink{link, b.err}, err
}

func (l *awayLink) Publish(context.Context, *belfry.Message) error { return l.err }

// TestBusAway: what the cluster has not accepted is not answered with ok.
func TestBusAway(t *testing.T) {
	for code, err := range map[string]error{"unavailable": belfry.ErrUnavailable, "in_doubt": belfry.ErrInDoubt, "failed": errors.New("other")} {
		c := connect(t, newNodeOn(t, &awayBus{memoryBus(), err}, plain.Options{}))
		c.refused(`{"publish":{"room":"r","event":"e"}}`, code, "")
		c.quiet()
	}
}
