package forward

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// poller is a client that polls, each request on the node that it is told.
type poller struct {
	t    testing.TB
	http *http.Client
	sid  string
}

// open begins a session on a node.
func open(t testing.TB, n *node) (*poller, *session) {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	p := &poller{t: t, http: &http.Client{Transport: transport, Timeout: patience}}
	res, body := p.do(n, http.MethodGet, "")
	var hello struct{ SID string }
	if res.StatusCode != http.StatusOK || !strings.HasPrefix(body, "0") || json.Unmarshal([]byte(body[1:]), &hello) != nil {
		t.Fatalf("handshake: %s %q", res.Status, body)
	}
	p.sid = hello.SID
	return p, receive(t, n.sessions, "a session")
}

func (p *poller) url(n *node, transport string) string {
	u := n.web.URL + "/engine.io/?EIO=4&transport=" + transport
	if p.sid != "" {
		u += "&sid=" + p.sid
	}
	return u
}

func (p *poller) do(n *node, method, body string, headers ...string) (*http.Response, string) {
	p.t.Helper()
	res, text, err := p.try(n, method, body, headers...)
	if err != nil {
		p.t.Fatal(err)
	}
	return res, text
}

// try is do for goroutines.
func (p *poller) try(n *node, method, body string, headers ...string) (*http.Response, string, error) {
	r, err := http.NewRequestWithContext(context.Background(), method, p.url(n, "polling"), strings.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	res, err := p.http.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res, string(b), err
}

func (p *poller) wantGet(n *node, want string) {
	p.t.Helper()
	if res, body := p.do(n, http.MethodGet, ""); res.StatusCode != http.StatusOK || body != want {
		p.t.Fatalf("GET: %s %q, want %q", res.Status, body, want)
	}
}

func (p *poller) wantPost(n *node, body string) {
	p.t.Helper()
	if res, got := p.do(n, http.MethodPost, body); res.StatusCode != http.StatusOK || got != "ok" {
		p.t.Fatalf("POST: %s %q", res.Status, got)
	}
}

const unknown = `{"code":1,"message":"Session ID unknown"}`

func (p *poller) wantUnknown(n *node, headers ...string) {
	p.t.Helper()
	if res, body := p.do(n, http.MethodGet, "", headers...); res.StatusCode != http.StatusBadRequest || body != unknown {
		p.t.Fatalf("GET: %s %q, want %s", res.Status, body, unknown)
	}
}

// reply is what came of a request that waits.
type reply struct {
	res  *http.Response
	body string
	err  error
}

// pending starts a GET that waits at the session.
func (p *poller) pending(n *node, s *session) <-chan reply {
	p.t.Helper()
	got := make(chan reply, 1)
	go func() {
		res, body, err := p.try(n, http.MethodGet, "")
		got <- reply{res, body, err}
	}()
	eventually(p.t, "a GET waits", s.Writable)
	return got
}

// socket is a WebSocket client.
type socket struct {
	t testing.TB
	*websocket.Conn
}

// upgrade moves a session to a WebSocket, by way of a node.
func (p *poller) upgrade(n *node) socket {
	p.t.Helper()
	ws, _, err := websocket.Dial(p.t.Context(), p.url(n, "websocket"), &websocket.DialOptions{HTTPClient: p.http})
	if err != nil {
		p.t.Fatal(err)
	}
	ws.SetReadLimit(-1)
	s := socket{p.t, ws}
	p.t.Cleanup(func() { _ = ws.CloseNow() })
	s.write(websocket.MessageText, "2probe")
	s.want("3probe")
	s.write(websocket.MessageText, "5")
	return s
}

func (s socket) write(typ websocket.MessageType, text string) {
	s.t.Helper()
	if err := s.Write(s.t.Context(), typ, []byte(text)); err != nil {
		s.t.Fatal(err)
	}
}

func (s socket) read() (string, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	_, b, err := s.Read(ctx)
	return string(b), err
}

func (s socket) want(want string) {
	s.t.Helper()
	if got, err := s.read(); err != nil || got != want {
		s.t.Fatalf("read %.100q, %v; want %.100q", got, err, want)
	}
}
