package serve

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// plainPeer is a client of JSON over WebSocket.
type plainPeer struct {
	t    *testing.T
	conn *websocket.Conn
}

// connectPlain shows a token, if it is not empty, and returns the answer.
func connectPlain(t *testing.T, base, token string) (*plainPeer, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, "ws://"+base+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	p := &plainPeer{t: t, conn: conn}
	return p, p.ask(fmt.Sprintf(`{"id":0,"connect":{"token":%q}}`, token))
}

// ask sends a request and returns the next that comes.
func (p *plainPeer) ask(request string) string {
	p.t.Helper()
	p.send(request)
	return p.read()
}

func (p *plainPeer) send(text string) {
	p.t.Helper()
	if err := p.trySend(text); err != nil {
		p.t.Fatal(err)
	}
}

func (p *plainPeer) trySend(text string) error { return writeText(p.t, p.conn, text) }

// read returns the next message, "closed" at the end. Positions are passed over.
func (p *plainPeer) read() string {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	for {
		_, b, err := p.conn.Read(ctx)
		switch {
		case ctx.Err() != nil:
			p.t.Fatal("nothing comes within a minute")
		case err != nil:
			return "closed"
		case !strings.HasPrefix(string(b), `{"offset"`):
			return string(b)
		}
	}
}

// errorCode is that of an answer, empty if it is none.
func errorCode(t *testing.T, answer string) string {
	t.Helper()
	var a struct{ Error struct{ Code string } }
	if err := json.Unmarshal([]byte(answer), &a); err != nil {
		t.Fatalf("%q: %v", answer, err)
	}
	return a.Error.Code
}

func TestPlainClientsDoWhatTheyAreGranted(t *testing.T) {
	addr := rootOf(run(t, guarded()))
	for shown, want := range map[string]string{
		"": "token_missing", "x": "token_invalid", token(t, "ada", -time.Hour, nil): "token_expired",
	} {
		if _, answer := connectPlain(t, addr, shown); errorCode(t, answer) != want {
			t.Errorf("%.5s: %s, want %s", shown, answer, want)
		}
	}
	p, answer := connectPlain(t, addr, token(t, "ada", time.Hour, map[string]any{"join": []string{"a"}, "publish": []string{"b"}}))
	if errorCode(t, answer) != "" {
		t.Fatal(answer)
	}
	for request, want := range map[string]string{
		`{"id":1,"join":{"room":"a"}}`:                               "",
		`{"id":1,"join":{"room":"b"}}`:                               "forbidden",
		`{"id":1,"publish":{"room":"b","event":"x"}}`:                "",
		`{"id":1,"publish":{"room":"a","event":"x"}}`:                "forbidden",
		`{"id":1,"presence":{"room":"a"}}`:                           "forbidden",
		`{"id":1,"event":{"name":"unknown"}}`:                        "no_route",
		`{"id":1,"join":{"room":"` + strings.Repeat("x", 20) + `"}}`: "forbidden",
	} {
		if got := p.ask(request); errorCode(t, got) != want {
			t.Errorf("%s: %s, want %q", request, got, want)
		}
	}
	if got := p.ask(`{"id":2,"refresh":{"token":"` + token(t, "ada", 2*time.Hour, map[string]any{"join": []string{"b"}}) + `"}}`); errorCode(t, got) != "" {
		t.Error(got)
	}
	if got := p.ask(`{"id":3,"join":{"room":"b"}}`); errorCode(t, got) != "" {
		t.Error(got)
	}
}

func TestPlainSessionEndsWithItsToken(t *testing.T) {
	addr := rootOf(run(t, guarded()))
	for lasts := 2 * time.Second; ; lasts *= 2 { // a slow machine may need more
		p, answer := connectPlain(t, addr, token(t, "ada", lasts, nil))
		if errorCode(t, answer) == "token_expired" {
			continue
		}
		if got := p.read(); errorCode(t, got) != "token_expired" {
			t.Errorf("got %s", got)
		}
		if got := p.read(); got != "closed" {
			t.Errorf("got %s after the end", got)
		}
		return
	}
}

// stream is an event stream.
type stream struct {
	t     *testing.T
	lines *bufio.Scanner
	body  io.Closer
}

// openStream returns nil and a status if it is refused.
func openStream(t *testing.T, base, token string, rooms ...string) (*stream, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+base+"/sse?room="+strings.Join(rooms, "&room="), nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = answer.Body.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	if answer.StatusCode != http.StatusOK {
		_, _ = io.Copy(io.Discard, answer.Body)
		return nil, answer.StatusCode
	}
	s := &stream{t, bufio.NewScanner(answer.Body), answer.Body}
	s.want("stream:open")
	return s, answer.StatusCode
}

// want returns the data of the next event of that name; others are passed over.
func (s *stream) want(event string) string {
	s.t.Helper()
	named := false
	for s.lines.Scan() {
		line := s.lines.Text()
		if name, ok := strings.CutPrefix(line, "event: "); ok {
			named = name == event
		}
		if data, ok := strings.CutPrefix(line, "data: "); ok && named {
			return data
		}
	}
	s.t.Fatalf("the stream ends before event %s: %v", event, s.lines.Err())
	return ""
}

func TestStreamsAreGranted(t *testing.T) {
	addr := rootOf(run(t, guarded()))
	good := token(t, "ada", time.Hour, map[string]any{"join": []string{"a"}})
	for _, test := range []struct {
		token, room string
		want        int
	}{
		{good, "a", http.StatusOK},
		{good, "b", http.StatusForbidden},
		{"", "a", http.StatusUnauthorized},
		{token(t, "ada", -time.Hour, nil), "a", http.StatusUnauthorized},
	} {
		if _, status := openStream(t, addr, test.token, test.room); status != test.want {
			t.Errorf("room %s: %d, want %d", test.room, status, test.want)
		}
	}
	for lasts := 2 * time.Second; ; lasts *= 2 { // a slow machine may need more
		s, _ := openStream(t, addr, token(t, "ada", lasts, map[string]any{"join": []string{"a"}}), "a")
		if s == nil {
			continue
		}
		if data := s.want("stream:error"); !strings.Contains(data, "token_expired") {
			t.Errorf("at its end the stream says %s", data)
		}
		return
	}
}
