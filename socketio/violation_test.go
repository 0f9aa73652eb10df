package socketio_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tinylib/msgp/msgp"

	"github.com/coder/websocket"

	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/engineio"
	"github.com/seed-09a96375/belfry/internal/fronttest"
	"github.com/seed-09a96375/belfry/socketio"
)

// What a client must not send ends its connection, and no other.
func TestViolations(t *testing.T) {
	n := newNode(t, socketio.Options{})
	n.Of("/custom")
	var errorsSeen atomic.Int64
	n.OnError(func(*socketio.Socket, error) { errorsSeen.Add(1) })
	bystander, id := connect(t, n)
	for name, packets := range map[string][]string{
		"event before CONNECT":         {`42["x"]`},
		"binary before CONNECT":        {`451-["b",{"_placeholder":true,"num":0}]`, "bin:1"},
		"auth is an array":             {`40["x"]`},
		"auth is null":                 {`40null`},
		"auth is broken":               {`40{`},
		"second CONNECT":               {`40`, `40`},
		"namespace not joined":         {`40`, `42/custom,["x"]`},
		"ack in namespace not joined":  {`40`, `43/custom,1["x"]`},
		"event after DISCONNECT":       {`40`, `41`, `42["x"]`},
		"CONNECT_ERROR":                {`40`, `44{"message":"x"}`},
		"unknown type":                 {`40`, `47`},
		"empty message":                {`40`, `4`},
		"event without name":           {`40`, `42[]`},
		"reserved name":                {`40`, `42["disconnect"]`},
		"trailing garbage":             {`40`, `42["x"]garbage`},
		"11 attachments":               {`40`, `4511-["b"]`},
		"unexpected binary":            {`40`, "bin:1"},
		"text instead of attachment":   {`40`, `451-["b",{"_placeholder":true,"num":0}]`, `42["x"]`},
		"placeholder out of range":     {`40`, `451-["b",{"_placeholder":true,"num":5}]`, "bin:1"},
		"engine: unknown type":         {`40`, `7`},
		"engine: ping from the client": {`40`, `2`},
	} {
		c := dial(t, n)
		c.send(packets...)
		for _, p := range c.wantClosed() {
			if !strings.HasPrefix(p, `40{"sid"`) {
				t.Errorf("%s: got %q", name, p)
			}
		}
	}
	if errorsSeen.Load() == 0 {
		t.Error("OnError never called")
	}
	bystander.quiet(n, id)
	fronttest.Eventually(t, "the violators are gone", func() bool { return n.Len() == 1 && n.Engine().Sessions() == 1 })
}

func TestHarmlessOddities(t *testing.T) {
	n := newNode(t, socketio.Options{})
	socketio.OnAck(n, "echo", func(_ ctx, _ *socketio.Socket, s string) (string, error) { return s, nil })
	c, _ := connect(t, n)
	c.send(`42`, `42[1,2]`, `42["error","x"]`, `42["","x"]`, `3`, `0`, `5`, `6`, `4312["x"]`, `43["x"]`, `431`)
	c.send(`42007["echo","a"]`, `421 ["echo","b"]`)
	c.want(`437["a"]`, `431["b"]`)
}

func TestConnectTimeout(t *testing.T) {
	n := newNode(t, socketio.Options{ConnectTimeout: time.Second})
	c := dial(t, n)
	c.send("40/unknown,") // a failed attempt does not count
	c.want(`44/unknown,{"message":"Invalid namespace"}`)
	c.wantClosed()
	joined, id := connect(t, n)
	joined.quiet(n, id)
}

// A handler that blocks stops the reading of its own client's connection, and
// of no other. Nothing that was sent is lost.
func TestBackPressure(t *testing.T) {
	n := newNode(t, socketio.Options{MaxInbox: 4})
	free, got := make(chan struct{}), make(chan int, 1000)
	socketio.On(n, "n", func(_ ctx, _ *socketio.Socket, i int) error {
		if i == 0 {
			<-free
		}
		got <- i
		return nil
	})
	c, _ := connect(t, n)
	other, _ := connect(t, n)
	for i := range 500 {
		c.send(fmt.Sprintf(`42["n",%d]`, i))
	}
	other.send(`42["n",1000]`)
	if i := <-got; i != 1000 {
		t.Fatalf("first is %d", i)
	}
	close(free)
	for i := range 500 {
		if v := <-got; v != i {
			t.Fatalf("got %d, want %d", v, i)
		}
	}
}

func TestRateLimitSlowsDown(t *testing.T) {
	n := newNode(t, socketio.Options{MaxEventsPerSecond: 100})
	count := 0
	socketio.OnAck(n, "n", func(ctx, *socketio.Socket, socketio.None) (int, error) { count++; return count, nil })
	c, _ := connect(t, n)
	start := time.Now()
	for i := range 120 {
		c.send(fmt.Sprintf(`42%d["n"]`, i))
	}
	for i := range 120 {
		c.want(fmt.Sprintf(`43%d[%d]`, i, i+1))
	}
	if d := time.Since(start); d < 150*time.Millisecond {
		t.Errorf("120 events at 100 per second, a second's burst free, took %v", d)
	}
}

func TestMsgpackParser(t *testing.T) {
	n := newNode(t, socketio.Options{})
	socketio.OnAck2(n, "echo", func(_ ctx, _ *socketio.Socket, s string, b []byte) (socketio.Args, error) {
		return socketio.Args{}, n.Emit(bg, "got", s, b)
	})
	c := dial(t, n)
	c.send("bin:" + pack(map[string]any{"type": 0, "nsp": "/"}))
	hello := unpack(t, c.read())
	if hello["type"] != int64(0) || len(hello["data"].(map[string]any)["sid"].(string)) != 20 {
		t.Fatalf("hello is %v", hello)
	}
	text, _ := connect(t, n)
	c.send("bin:" + pack(map[string]any{"type": 2, "nsp": "/", "id": 5, "data": []any{"echo", "é", []byte{1, 2}}}))
	got := unpack(t, c.read())
	if fmt.Sprint(got["data"]) != "[got é [1 2]]" || got["type"] != int64(2) {
		t.Errorf("event is %v", got)
	}
	ack := unpack(t, c.read())
	if ack["type"] != int64(3) || ack["id"] != int64(5) {
		t.Errorf("ack is %v", ack)
	}
	text.want(`451-["got","é",{"_placeholder":true,"num":0}]`, "bin:\x01\x02")
}

func pack(v map[string]any) string {
	b, err := msgp.AppendIntf(nil, v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func unpack(t *testing.T, p string) map[string]any {
	t.Helper()
	b, ok := strings.CutPrefix(p, "bin:")
	if !ok {
		t.Fatalf("not binary: %q", p)
	}
	v, _, err := msgp.ReadIntfBytes([]byte(b))
	if err != nil {
		t.Fatal(err)
	}
	m := v.(map[string]any)
	for k, x := range m {
		if u, ok := x.(uint64); ok {
			m[k] = int64(u)
		}
	}
	return m
}

func TestProtocol3(t *testing.T) {
	n := newNode(t, socketio.Options{EngineIO: engineio.Options{AllowEIO3: true}})
	custom := n.Of("/custom")
	refused := n.Of("/refused")
	refused.Use(func(ctx, *socketio.Socket) error { return errors.New("nope") })
	socketio.OnAck(custom, "auth", func(_ ctx, s *socketio.Socket, _ socketio.None) (socketio.Auth, error) {
		return s.Auth(), nil
	})
	c := dialQuery(t, n, "EIO=3")
	c.want("40")
	c.send("40/custom?a=b,")
	c.want("40/custom,")
	c.send(`42/custom,1["auth"]`, "2", "40/refused,", "40/unknown,")
	var rest []string // the heartbeat does not wait for handlers
	for range 4 {
		rest = append(rest, c.read())
	}
	for _, want := range []string{`43/custom,1[{"a":"b"}]`, "3", `44/refused,"nope"`, `44/unknown,{"message":"Invalid namespace"}`} {
		if !strings.Contains(strings.Join(rest, "\n"), want) {
			t.Errorf("%q is not among %q", want, rest)
		}
	}
	if err := custom.Emit(bg, "bin", []byte{1}); err != nil {
		t.Fatal(err)
	}
	c.want(`451-/custom,["bin",{"_placeholder":true,"num":0}]`, "bin:\x04\x01")
}

// A message larger than the limit ends the connection with code 1009.
func TestTooLarge(t *testing.T) {
	n := newNode(t, socketio.Options{EngineIO: engineio.Options{MaxPayload: 1000}})
	c, _ := connect(t, n)
	c.send(event("x", strings.Repeat("a", 1000)))
	_, err := c.next()
	if websocket.CloseStatus(err) != websocket.StatusMessageTooBig {
		t.Errorf("ended with %v", err)
	}
}

func TestTooManyNamespaces(t *testing.T) {
	n := newNode(t, socketio.Options{MaxNamespaces: 2})
	n.OfFunc(func(string, socketio.Auth) bool { return true })
	c := dial(t, n)
	c.connect("/a", "")
	c.connect("/b", "")
	c.send("40/c,")
	c.want(`44/c,{"message":"too many namespaces: 2 at most"}`)
}

func TestNewNamesBadOptions(t *testing.T) {
	_, err := socketio.New(socketio.Options{ConnectTimeout: -1, MaxInbox: -2})
	if err == nil || !strings.Contains(err.Error(), "ConnectTimeout") || !strings.Contains(err.Error(), "MaxInbox") {
		t.Errorf("error is %v", err)
	}
	_, err = socketio.New(socketio.Options{Recovery: &socketio.Recovery{}, Bus: memory.New(memory.Options{})})
	if err == nil || !strings.Contains(err.Error(), "recovery is not possible") {
		t.Errorf("recovery without a log: %v", err)
	}
}

func TestTooManyAttachmentsAreNotSent(t *testing.T) {
	n := newNode(t, socketio.Options{})
	c, id := connect(t, n)
	many := make([][]byte, 11)
	for i := range many {
		many[i] = []byte{byte(i)}
	}
	if err := n.Emit(bg, "x", many); err == nil || !strings.Contains(err.Error(), "11 binary values: clients take 10 at most") {
		t.Errorf("emit: %v", err)
	}
	socketio.OnAck(n, "give", func(ctx, *socketio.Socket, socketio.None) ([][]byte, error) { return many, nil })
	c.send(`421["give"]`)
	c.want(`431[{"error":{"message":"encode ack: 11 binary values: clients take 10 at most"}}]`)
	c.quiet(n, id)
}
