package stomp_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/coder/websocket"

	"github.com/seed-09a96375/belfry/stomp"
)

// TestAnswers reach the connection that has asked, and no other of its user.
func TestAnswers(t *testing.T) {
	n := newNode(t, stomp.Options{
		Authenticate: func(_ context.Context, l *stomp.Login) (string, error) { return l.Login, nil },
		App: func(_ context.Context, c *stomp.Conn, m *stomp.Message) error {
			return c.Answer(m, json.RawMessage(m.Body))
		},
	})
	c, other := connect(t, n, "login:ann"), connect(t, n, "login:ann")
	for _, each := range []*client{c, other} {
		each.subscribe("1", "/user/queue/price")
		each.subscribe("2", "/user/queue/here", "ack:client")
	}
	c.send("SEND", `["hello",{"n":1}]`, "destination:/app/price", "correlation-id:a:b\\\\c", "receipt:r")
	f := c.want("MESSAGE", "subscription:1", "destination:/user/queue/price", "event:price", "args:2", "correlation-id:a:b\\c")
	if string(f.Body) != `["hello",{"n":1}]` {
		t.Errorf("body %s", f.Body)
	}
	c.want("RECEIPT", "receipt-id:r")
	c.send("SEND", `["text"]`, "destination:/app/price", "reply-to:/user/queue/here", "correlation-id:7")
	if f := c.want("MESSAGE", "subscription:2", "event:here", "content-type:text/plain", "correlation-id:7"); f.Value("ack") == "" || string(f.Body) != "text" {
		t.Errorf("ack %q, body %q", f.Value("ack"), f.Body)
	}
	c.send("SEND", `[]`, "destination:/app/nowhere", "receipt:none")
	c.want("RECEIPT", "receipt-id:none")
	other.quiet()
	c.send("SEND", `[]`, "destination:/app/price", "reply-to:/topic/room")
	c.wantError("reply-to must be", websocket.StatusProtocolError)
}
