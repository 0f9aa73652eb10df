package plain_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/internal/fronttest"
	"github.com/seed-09a96375/belfry/plain"
)

func memoryBus() belfry.Bus { return memory.New(memory.Options{Log: &memory.Log{}}) }

// guarded lets in who shows a token that begins with "t-", as the user that follows.
func guarded(closed *atomic.Int64) plain.Options {
	return plain.Options{
		Authenticate: func(_ context.Context, _ *plain.Conn, l *plain.Login) (string, error) {
			switch user, ok := strings.CutPrefix(l.Token, "t-"); {
			case l.Token == "away":
				return "", &plain.Error{Code: "auth_unavailable", Message: "nobody knows now"}
			case !ok:
				return "", errors.New("a token is needed, not " + l.Token)
			default:
				return user, nil
			}
		},
		Authorize: func(_ context.Context, c *plain.Conn, a plain.Action, room belfry.Room) error {
			if strings.HasPrefix(string(room), "secret") || a == plain.Resume && room == "fresh" {
				return errors.New(c.User() + " may not " + a.String() + " " + string(room))
			}
			return nil
		},
		Refresh: func(_ context.Context, c *plain.Conn, token string) (time.Time, error) {
			if token == "t-"+c.User() {
				return time.Unix(2_000_000_000, 0), nil
			}
			return time.Time{}, &plain.Error{Code: "forbidden", Message: "the token is another user's"}
		},
		Closed: func(*plain.Conn) { closed.Add(1) },
	}
}

// TestToken: it is found wherever a client can show one.
func TestToken(t *testing.T) {
	var closed atomic.Int64
	n := newNode(t, guarded(&closed))
	for what, show := range map[string]func() *client{
		"request": func() *client {
			c := dial(t, n, "?token=wrong", nil)
			c.write(`{"id":1,"connect":{"token":"t-ann"}}`)
			return c
		},
		"query": func() *client {
			c := dial(t, n, "?token=t-ann", nil)
			c.write(`{"id":1,"connect":{}}`)
			return c
		},
		"header": func() *client {
			c := dial(t, n, "", &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"bearer t-ann"}}})
			c.write(`{"id":1,"connect":{}}`)
			return c
		},
		"sub-protocol": func() *client {
			c := dial(t, n, "", &websocket.DialOptions{Subprotocols: []string{"belfry", "bearer.t-ann"}})
			if got := c.ws.Subprotocol(); got != "belfry" {
				t.Errorf("sub-protocol %q", got)
			}
			c.write(`{"id":1,"connect":{}}`)
			return c
		},
		"cookie": func() *client {
			c := dial(t, n, "", &websocket.DialOptions{HTTPHeader: http.Header{"Cookie": {"belfry_token=t-ann"}}})
			c.write(`{"id":1,"connect":{}}`)
			return c
		},
	} {
		c := show()
		if m := c.read(); m.OK == nil || m.OK.User != "ann" {
			t.Errorf("%s: got %s", what, m.raw)
		}
		must(t, c.ws.Close(websocket.StatusNormalClosure, ""))
	}
	fronttest.Eventually(t, "all have gone", func() bool { return closed.Load() == 5 })
}

// TestRefused: who is not known, or may not do what it wants, is told so.
func TestRefused(t *testing.T) {
	var closed atomic.Int64
	n := newNode(t, guarded(&closed))
	c := dial(t, n, "", nil)
	c.refused(`{"id":1,"join":{"room":"a"}}`, "unauthorized", "a token is needed")
	c.wantClosed(websocket.StatusPolicyViolation)
	c = dial(t, n, "?token=away", nil)
	c.refused(`{"connect":{}}`, "auth_unavailable", "")
	c.wantClosed(websocket.StatusTryAgainLater)
	c = dial(t, n, "?token=t-ann", nil)
	c.write(`{"id":1,"connect":{"rooms":["a","secret:1"]}}`)
	if m := c.read(); m.Error == nil || m.Error.Room != "secret:1" || m.Error.Code != "forbidden" {
		t.Errorf("got %s", m.raw)
	}
	c.wantClosed(websocket.StatusPolicyViolation)
	fronttest.Eventually(t, "it is told that one has gone", func() bool { return closed.Load() == 1 })

	c = dial(t, n, "?token=t-ann", nil)
	c.ask(`"connect":{}`)
	c.refused(`{"join":{"room":"secret:1"}}`, "forbidden", "ann may not join secret:1")
	c.refused(`{"publish":{"room":"secret:1","event":"e"}}`, "forbidden", "ann may not publish")
	c.refused(`{"presence":{"room":"secret:1"}}`, "forbidden", "ann may not presence")
	c.ask(`"join":{"room":"fresh"}`)
	c.refused(`{"join":{"room":"fresh","offset":"x"}}`, "forbidden", "ann may not resume fresh")
	emit(t, n, "x", "secret:1")
	if got := c.ask(`"refresh":{"token":"t-ann"}`); got.Expires != 2_000_000_000 {
		t.Errorf("refreshed until %d", got.Expires)
	}
	c.refused(`{"refresh":{"token":"t-bob"}}`, "forbidden", "another user's")
}

// TestEnd: the application ends a client, which is told why.
func TestEnd(t *testing.T) {
	conns := make(chan *plain.Conn, 1)
	n := newNode(t, plain.Options{Authenticate: func(_ context.Context, c *plain.Conn, _ *plain.Login) (string, error) {
		conns <- c
		return "", nil
	}})
	c := connect(t, n)
	conn := <-conns
	c.ask(`"join":{"rooms":["a","b"]}`)
	conn.Leave("a")
	if m := c.read(); m.Left == nil || m.Left.Rooms[0] != "a" {
		t.Errorf("got %s", m.raw)
	}
	if rooms := conn.Rooms(); len(rooms) != 1 || rooms[0] != "b" || !conn.Connected() || conn.RemoteAddr() == nil {
		t.Errorf("in rooms %q", rooms)
	}
	conn.End("token_expired", "the token has expired")
	conn.End("other", "")
	c.wantError("token_expired", "has expired")
	c.wantClosed(websocket.StatusPolicyViolation)

	s := listen(t, n, "?room=a", nil)
	s.read()
	(<-conns).End("token_expired", "the token has expired")
	if e := s.read(); e.name != "stream:error" || !strings.Contains(e.raw, `"token_expired"`) {
		t.Errorf("got %s %s", e.name, e.raw)
	}
	if _, err := s.next(); err == nil {
		t.Error("the stream goes on")
	}
}

// TestOrigins: a page of another host cannot use its visitor's browser.
func TestOrigins(t *testing.T) {
	n := newNode(t, plain.Options{Origins: []string{"https://*.example.org"}})
	for page, want := range map[string]int{"https://evil.org": http.StatusForbidden, "https://a.example.org": http.StatusOK, n.url: http.StatusOK} {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		ws, r, err := websocket.Dial(ctx, n.url+"/ws", &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {page}}})
		cancel()
		if err == nil {
			_ = ws.CloseNow()
		}
		if (err == nil) != (want == http.StatusOK) {
			t.Errorf("websocket of %s: %v", page, err)
		}
		if r != nil && want != http.StatusOK && r.StatusCode != want {
			t.Errorf("websocket of %s: %d", page, r.StatusCode)
		}
		s := listen(t, n, "?room=a", http.Header{"Origin": {page}})
		if s.status != want {
			t.Errorf("stream of %s: %d", page, s.status)
		}
		if foreign := page == "https://a.example.org"; foreign != (s.header.Get("Access-Control-Allow-Origin") == page) || foreign != (s.header.Get("Access-Control-Allow-Credentials") == "true") {
			t.Errorf("stream of %s: %v", page, s.header)
		}
		s.close()
	}
}
