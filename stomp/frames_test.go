package stomp_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/seed-09a96375/belfry/stomp"
	"github.com/seed-09a96375/belfry/stomp/frame"
)

// TestFaults: whatever a client does wrong, an ERROR says what, and the connection
// ends.
func TestFaults(t *testing.T) {
	n := newNode(t, stomp.Options{
		MaxSubscriptions: 2, MaxTransactions: 1, MaxTransactionBytes: 800,
		Limits: frame.Limits{MaxHeaders: 10, MaxHeaderBytes: 500, MaxBody: 1000},
	})
	for name, c := range map[string]struct{ raw, says string }{
		"second connect":        {"CONNECT\naccept-version:1.2\n\n\x00", "second CONNECT"},
		"unknown command":       {"HELLO\n\n\x00", "unknown command (byte 0)"},
		"server's command":      {"MESSAGE\n\n\x00", "a client cannot send MESSAGE"},
		"header without colon":  {"SEND\ndestination\n\n\x00", "header without a colon (byte 5)"},
		"undefined escape":      {"SEND\ndestination:/topic/\\t\n\n\x00", "undefined escape in a header (byte 24)"},
		"body too long":         {"SEND\ndestination:/topic/a\n\n" + strings.Repeat("x", 1001) + "\x00", "body is too long"},
		"length too long":       {"SEND\ncontent-length:1001\n\n", "body is too long"},
		"headers too long":      {"SEND\na:" + strings.Repeat("x", 500) + "\n\n\x00", "headers are too long"},
		"too many headers":      {"SEND\n" + strings.Repeat("a:b\n", 11) + "\n\x00", "too many headers"},
		"wrong length":          {"SEND\ncontent-length:1\n\nabc\x00", "no NUL after the body"},
		"send to nowhere":       {"SEND\n\n\x00", "SEND without a destination"},
		"unknown destination":   {"SEND\ndestination:/queue/a\n\n\x00", "destination must be /topic/NAME"},
		"empty destination":     {"SUBSCRIBE\nid:1\ndestination:/topic/\n\n\x00", "destination must be /topic/NAME"},
		"id of a client":        {"SUBSCRIBE\nid:1\ndestination:/topic/abcdefghij0123456789\n\n\x00", "is the id of a client"},
		"no application":        {"SEND\ndestination:/app/a\n\n\x00", `there is no destination "/app/a"`},
		"another user":          {"SEND\ndestination:/user/bob/queue/a\n\n\x00", "other users"},
		"reserved event":        {"SEND\ndestination:/topic/a\nevent:disconnect\n\n\x00", `event "disconnect" is reserved`},
		"bad JSON":              {"SEND\ndestination:/topic/a\ncontent-type:application/json\n\n{\x00", "not JSON"},
		"JSON not in UTF-8":     {"SEND\ndestination:/topic/a\ncontent-type:application/json\n\n\"\xff\"\x00", "not JSON in UTF-8"},
		"bad destination":       {"SEND\ndestination:/topic/\xff\n\n\x00", "is not UTF-8"},
		"bad event":             {"SEND\ndestination:/topic/a\nevent:\xff\n\n\x00", "the event is not UTF-8"},
		"bad text":              {"SEND\ndestination:/topic/a\ncontent-type:text/plain\n\n\xff\x00", "not UTF-8"},
		"args of no array":      {"SEND\ndestination:/topic/a\ncontent-type:application/json\nargs:1\n\n{}\x00", "must be a JSON array"},
		"wrong number of args":  {"SEND\ndestination:/topic/a\ncontent-type:application/json\nargs:3\n\n[1]\x00", "the array has 1 elements"},
		"subscribe without id":  {"SUBSCRIBE\ndestination:/topic/a\n\n\x00", "SUBSCRIBE without an id"},
		"subscribe to app":      {"SUBSCRIBE\nid:1\ndestination:/app/a\n\n\x00", "not subscribed to"},
		"another user's queue":  {"SUBSCRIBE\nid:1\ndestination:/user/bob/queue/a\n\n\x00", "not subscribed to"},
		"unknown ack mode":      {"SUBSCRIBE\nid:1\ndestination:/topic/a\nack:maybe\n\n\x00", "ack must be"},
		"id in use":             {strings.Repeat("SUBSCRIBE\nid:1\ndestination:/topic/a\n\n\x00", 2), `subscription "1" exists already`},
		"too many":              {"SUBSCRIBE\nid:1\ndestination:/topic/a\n\n\x00SUBSCRIBE\nid:2\ndestination:/topic/a\n\n\x00SUBSCRIBE\nid:3\ndestination:/topic/a\n\n\x00", "more than 2 subscriptions"},
		"unknown subscription":  {"UNSUBSCRIBE\nid:1\n\n\x00", `no subscription "1"`},
		"unknown ack":           {"ACK\nid:7\n\n\x00", "ACK with id 7, which no message has"},
		"ack without id":        {"NACK\n\n\x00", "NACK with id"},
		"unknown transaction":   {"COMMIT\ntransaction:a\n\n\x00", `no transaction "a"`},
		"transaction no name":   {"BEGIN\n\n\x00", "BEGIN without a transaction"},
		"send in unknown":       {"SEND\ntransaction:a\n\n\x00", `no transaction "a"`},
		"begun already":         {"BEGIN\ntransaction:a\n\n\x00BEGIN\ntransaction:a\n\n\x00", "has begun already"},
		"too many transactions": {"BEGIN\ntransaction:a\n\n\x00BEGIN\ntransaction:b\n\n\x00", "more than 1 transactions"},
		"transaction too large": {"BEGIN\ntransaction:a\n\n\x00" + strings.Repeat("SEND\ntransaction:a\n\n"+strings.Repeat("x", 300)+"\x00", 2), "hold more than 800 bytes"},
		"fault at commit":       {"BEGIN\ntransaction:a\n\n\x00SEND\ntransaction:a\n\n\x00COMMIT\ntransaction:a\n\n\x00", "frame 1 of the transaction: SEND without"},
	} {
		t.Run(name, func(t *testing.T) {
			w := connect(t, n)
			w.write(c.raw)
			code := websocket.StatusProtocolError
			if name == "another user" {
				code = websocket.StatusPolicyViolation
			}
			w.wantError(c.says, code)
		})
	}
}

func TestFramesBeforeConnect(t *testing.T) {
	n := newNode(t, stomp.Options{})
	for _, command := range []string{"SEND", "SUBSCRIBE", "DISCONNECT"} {
		c := dial(t, n)
		c.send(command, "", "destination:/topic/a", "receipt:7")
		f := c.wantError(command+" before CONNECT", websocket.StatusProtocolError)
		if f.Value("receipt-id") != "7" {
			t.Errorf("receipt-id %q", f.Value("receipt-id"))
		}
	}
	for _, beat := range []string{"heart-beat:1", "heart-beat:a,b", "heart-beat:-1,5"} {
		c := dial(t, n)
		c.send("CONNECT", "", beat)
		c.wantError("heart-beat must be", websocket.StatusProtocolError)
	}
}

// TestFramesInPieces: the borders of WebSocket messages mean nothing.
func TestFramesInPieces(t *testing.T) {
	n := newNode(t, stomp.Options{})
	c := connect(t, n)
	stream := "\n\r\nSUBSCRIBE\r\nid:1\r\ndestination:/topic/a\r\n\r\n\x00\n" +
		"SEND\ndestination:/topic/a\ncontent-length:3\n\na\x00b\x00\r\n" +
		"SEND\ndestination:/topic/a\n\nlast\x00DISCONNECT\nreceipt:9\n\n\x00"
	for _, step := range []int{1, 2, 3, 7, 50} {
		if step > 1 {
			c = connect(t, n)
		}
		for rest := stream; rest != ""; {
			k := min(step, len(rest))
			c.write(rest[:k])
			rest = rest[k:]
		}
		for _, want := range []string{"a\x00b", "last"} {
			if f := c.want("MESSAGE"); string(f.Body) != want {
				t.Errorf("in pieces of %d: body %q, want %q", step, f.Body, want)
			}
		}
		c.want("RECEIPT", "receipt-id:9")
		c.wantClosed(websocket.StatusNormalClosure)
	}
}

func TestReceipts(t *testing.T) {
	c := connect(t, newNode(t, stomp.Options{}))
	for i, f := range [][]string{
		{"SUBSCRIBE", "id:1", "destination:/topic/a"},
		{"SEND", "destination:/topic/b"},
		{"BEGIN", "transaction:t"},
		{"SEND", "destination:/topic/b", "transaction:t"},
		{"COMMIT", "transaction:t"},
		{"BEGIN", "transaction:t"},
		{"ABORT", "transaction:t"},
		{"UNSUBSCRIBE", "id:1"},
		{"DISCONNECT"},
	} {
		c.send(f[0], "", append(f[1:], fmt.Sprintf("receipt:r\\c%d", i))...)
		c.want("RECEIPT", fmt.Sprintf("receipt-id:r:%d", i))
	}
	c.wantClosed(websocket.StatusNormalClosure)
}

func TestTransactions(t *testing.T) {
	n := newNode(t, stomp.Options{})
	c := connect(t, n)
	c.subscribe("1", "/topic/a")
	c.send("BEGIN", "", "transaction:t")
	c.send("SEND", "one", "destination:/topic/a", "transaction:t")
	c.send("SEND", "before", "destination:/topic/a")
	c.send("SEND", "two", "destination:/topic/a", "transaction:t")
	c.send("BEGIN", "", "transaction:u")
	c.send("SEND", "never", "destination:/topic/a", "transaction:u")
	c.send("ABORT", "", "transaction:u")
	c.send("COMMIT", "", "transaction:t", "receipt:done")
	for _, want := range []string{"before", "one", "two"} {
		if f := c.want("MESSAGE"); string(f.Body) != want {
			t.Errorf("body %q, want %q", f.Body, want)
		}
	}
	c.want("RECEIPT", "receipt-id:done")
	c.quiet()
}
