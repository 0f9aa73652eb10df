package serve

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/seed-09a96375/belfry/stomp/frame"
)

// stompPeer is a STOMP client that shows every frame.
type stompPeer struct {
	t    *testing.T
	conn *websocket.Conn
}

func dialSTOMP(t *testing.T, base, path string, h http.Header) *stompPeer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, "ws://"+base+path, &websocket.DialOptions{HTTPHeader: h})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	return &stompPeer{t: t, conn: conn}
}

// connectSTOMP shows a token, if it is not empty, as the passcode.
func connectSTOMP(t *testing.T, base, token string) *stompPeer {
	t.Helper()
	p := dialSTOMP(t, base, "/stomp", nil)
	p.send("CONNECT", "", "accept-version:1.2", "host:test", "login:any", "passcode:"+token)
	p.want("CONNECTED", "")
	return p
}

func (p *stompPeer) send(command, body string, headers ...string) {
	p.t.Helper()
	if err := p.trySend(command, body, headers...); err != nil {
		p.t.Fatal(err)
	}
}

func (p *stompPeer) trySend(command, body string, headers ...string) error {
	text := command + "\n" + strings.Join(headers, "\n") + "\n\n" + body + "\x00"
	return writeText(p.t, p.conn, text)
}

// read returns the next frame that is no heart-beat; nil at the end.
func (p *stompPeer) read() *frame.Frame {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	for {
		_, b, err := p.conn.Read(ctx)
		switch {
		case ctx.Err() != nil:
			p.t.Fatal("nothing comes within a minute")
		case err != nil:
			return nil
		case string(b) != "\n":
			f := new(frame.Frame)
			if err := frame.Decode(f, b, frame.V12); err != nil {
				p.t.Fatal(err)
			}
			return f
		}
	}
}

// want reads a frame of that command with that body.
func (p *stompPeer) want(command, body string) *frame.Frame {
	p.t.Helper()
	f := p.read()
	if f == nil || f.Command != command || string(f.Body) != body {
		p.t.Fatalf("got %+v, want %s %q", f, command, body)
	}
	return f
}

// wantError reads an ERROR with that code, and the end.
func (p *stompPeer) wantError(code string) {
	p.t.Helper()
	f := p.read()
	if f == nil || f.Command != "ERROR" || f.Value("code") != code {
		p.t.Fatalf("got %+v, want ERROR %s", f, code)
	}
	if f := p.read(); f != nil {
		p.t.Errorf("%s after ERROR", f.Command)
	}
}

func (p *stompPeer) subscribe(id, destination string) {
	p.t.Helper()
	p.send("SUBSCRIBE", "", "id:"+id, "destination:"+destination, "receipt:"+id)
	p.want("RECEIPT", "")
}

func TestSTOMPClientsAreAuthenticated(t *testing.T) {
	addr := run(t, guarded())
	good, bad := token(t, "ada", time.Hour, nil), token(t, "ada", -time.Hour, nil)
	for name, test := range map[string]struct {
		path, request, connect, want string
	}{
		"passcode":              {"", "", "passcode:" + good, ""},
		"passcode, SockJS":      {"/websocket", "", "passcode:" + good, ""},
		"header of the frame":   {"", "Bearer x", "Authorization:Bearer " + good, ""},
		"header of the request": {"", "Bearer " + good, "login:x", ""},
		"query":                 {"?token=" + good, "", "login:x", ""},
		"nowhere":               {"", "", "login:x", "token_missing"},
		"old":                   {"", "", "passcode:" + bad, "token_expired"},
		"none":                  {"", "", "passcode:guest", "token_invalid"},
	} {
		h := http.Header{}
		if test.request != "" {
			h.Set("Authorization", test.request)
		}
		p := dialSTOMP(t, rootOf(addr), "/stomp"+test.path, h)
		p.send("CONNECT", "", "accept-version:1.2", test.connect)
		if test.want != "" {
			p.wantError(test.want)
			continue
		}
		if f := p.read(); f == nil || f.Command != "CONNECTED" || f.Value("user-name") != "ada" {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestSTOMPClientsDoWhatTheyAreGranted(t *testing.T) {
	addr := rootOf(run(t, guarded()))
	some := token(t, "ada", time.Hour, map[string]any{"join": []string{"chat:*"}, "publish": []string{"chat:1"}})
	for _, test := range []struct{ command, destination, want string }{
		{"SUBSCRIBE", "/topic/chat:1", ""},
		{"SEND", "/topic/chat:1", ""},
		{"SUBSCRIBE", "/user/queue/news", ""},
		{"SEND", "/user/queue/news", ""},
		{"SUBSCRIBE", "/topic/other", "forbidden"},
		{"SEND", "/topic/chat:2", "forbidden"},
		{"SEND", "/user/eve/queue/news", "forbidden"},
		{"SEND", "/app/unknown", "no_route"},
	} {
		p := connectSTOMP(t, addr, some)
		p.send(test.command, "", "id:1", "destination:"+test.destination, "receipt:r")
		if test.want == "" {
			p.want("RECEIPT", "")
		} else {
			p.wantError(test.want)
		}
	}
}

func TestSTOMPTokensAreRefreshed(t *testing.T) {
	addr := rootOf(run(t, guarded()))
	join := func(rooms ...string) map[string]any { return map[string]any{"join": rooms, "publish": []string{"*"}} }
	p := connectSTOMP(t, addr, token(t, "ada", time.Hour, join("a", "b")))
	p.subscribe("1", "/topic/a")
	p.subscribe("2", "/topic/b")
	p.subscribe("3", "/user/queue/refresh")
	p.send("SEND", token(t, "ada", 2*time.Hour, join("b")), "destination:/app/refresh")
	if f := p.read(); f.Command != "MESSAGE" || !strings.HasPrefix(string(f.Body), `{"expires":`) || len(f.Body) < 20 {
		t.Errorf("answer %+v", f)
	}
	p.send("SEND", "lost", "destination:/topic/a")
	p.send("SEND", "kept", "destination:/topic/b")
	p.want("MESSAGE", "kept")
	p.send("SEND", token(t, "eve", time.Hour, nil), "destination:/app/refresh")
	p.wantError("forbidden")
}

func TestSTOMPSessionEndsWithItsToken(t *testing.T) {
	addr := rootOf(run(t, guarded()))
	for lasts := 2 * time.Second; ; lasts *= 2 { // a slow machine may need more
		p := dialSTOMP(t, addr, "/stomp", nil)
		p.send("CONNECT", "", "accept-version:1.2", "passcode:"+token(t, "ada", lasts, nil))
		f := p.read()
		if f == nil || f.Command != "CONNECTED" {
			continue
		}
		p.wantError("token_expired")
		return
	}
}

// rootOf is the address without the path of Socket.IO.
func rootOf(addr string) string {
	host, _, _ := strings.Cut(addr, "/")
	return host
}
