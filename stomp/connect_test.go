package stomp_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/internal/fronttest"
	"github.com/seed-09a96375/belfry/stomp"
	"github.com/seed-09a96375/belfry/stomp/frame"
)

func TestVersionsAreNegotiated(t *testing.T) {
	n := newNode(t, stomp.Options{})
	for _, c := range []struct{ command, accept, version string }{
		{"CONNECT", "", "1.0"},
		{"CONNECT", "accept-version:1.0", "1.0"},
		{"CONNECT", "accept-version:1.1,1.0", "1.1"},
		{"STOMP", "accept-version:1.0,1.1,1.2", "1.2"},
		{"CONNECT", "accept-version:1.2,2.0", "1.2"},
	} {
		w := dial(t, n)
		if c.accept == "" {
			w.send(c.command, "", "host:test")
		} else {
			w.send(c.command, "", c.accept, "host:test")
		}
		f := w.want("CONNECTED", "version:"+c.version, "server:belfry", "heart-beat:25000,25000")
		if len(f.Value("session")) != 20 {
			t.Errorf("session %q", f.Value("session"))
		}
	}
}

func TestNoCommonVersion(t *testing.T) {
	c := dial(t, newNode(t, stomp.Options{}))
	c.send("CONNECT", "", "accept-version:2.0,3.0")
	f := c.wantError("2.0,3.0", websocket.StatusProtocolError)
	if f.Value("version") != "1.0,1.1,1.2" || f.Value("content-type") != "text/plain" {
		t.Errorf("ERROR has %q", f.Headers)
	}
}

func TestSubprotocols(t *testing.T) {
	n := newNode(t, stomp.Options{})
	for offered, want := range map[string]string{"v12.stomp": "v12.stomp", "v10.stomp": "v10.stomp", "v99.stomp": ""} {
		c := dialPath(t, n, "/stomp/websocket", &websocket.DialOptions{Subprotocols: []string{offered}})
		if got := c.ws.Subprotocol(); got != want {
			t.Errorf("offered %s, got %q", offered, got)
		}
	}
}

func TestOrigins(t *testing.T) {
	n := newNode(t, stomp.Options{Origins: []string{"https://*.example.org"}})
	for origin, ok := range map[string]bool{
		n.url: true, "https://a.example.org": true, "https://A.Example.org": true,
		"https://example.com": false, "null": false, "https://a.example.org.evil.com": false,
	} {
		_, _, err := websocket.Dial(t.Context(), n.url+"/stomp", &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {origin}}})
		if (err == nil) != ok {
			t.Errorf("%s: %v", origin, err)
		}
	}
}

func TestAuthenticate(t *testing.T) {
	logins := make(chan stomp.Login, 3)
	n := newNode(t, stomp.Options{Authenticate: func(_ context.Context, l *stomp.Login) (string, error) {
		if l.Header("x-extra") != "1" {
			t.Errorf("x-extra is %q", l.Header("x-extra"))
		}
		logins <- *l
		if l.Passcode == "wrong" {
			return "", errors.New("unknown user or wrong passcode")
		}
		return l.Login, nil
	}})
	c := dialPath(t, n, "/stomp?a=b", &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer request"}}})
	c.send("CONNECT", "", "accept-version:1.2", "host:h", "login:ann", "passcode:right", "x-extra:1")
	c.want("CONNECTED", "user-name:ann")
	if l := <-logins; l.Host != "h" || l.Authorization != "Bearer request" || l.URL != "/stomp?a=b" || l.RemoteAddr == "" {
		t.Errorf("login %+v", l)
	}
	c = dial(t, n)
	c.send("CONNECT", "", "accept-version:1.2", "login:ann", "passcode:wrong", "x-extra:1", "Authorization:Bearer frame")
	c.wantError("wrong passcode", websocket.StatusPolicyViolation)
	if l := <-logins; l.Authorization != "Bearer frame" {
		t.Errorf("authorization %q", l.Authorization)
	}
}

// TestRefusalsHaveCodes: those of the hook, or that of the kind of fault.
func TestRefusalsHaveCodes(t *testing.T) {
	n := newNode(t, stomp.Options{Authenticate: func(_ context.Context, l *stomp.Login) (string, error) {
		switch l.Passcode {
		case "old":
			return "", &stomp.Error{Code: "token_expired", Message: "too old"}
		case "later":
			return "", fmt.Errorf("%w: nobody can tell", belfry.ErrUnavailable)
		}
		return "", errors.New("no")
	}})
	for _, test := range []struct {
		passcode, code, says string
		closed               websocket.StatusCode
	}{
		{"old", "token_expired", "too old", websocket.StatusPolicyViolation},
		{"later", "unavailable", "nobody can tell", websocket.StatusTryAgainLater},
		{"x", "forbidden", "no", websocket.StatusPolicyViolation},
	} {
		c := dial(t, n)
		c.send("CONNECT", "", "accept-version:1.2", "passcode:"+test.passcode)
		if f := c.wantError(test.says, test.closed); f.Value("code") != test.code {
			t.Errorf("%s: code %q", test.passcode, f.Value("code"))
		}
	}
	c := dial(t, n)
	c.send("SUBSCRIBE", "", "id:1", "destination:/topic/x")
	if f := c.wantError("before CONNECT", websocket.StatusProtocolError); f.Value("code") != "protocol_error" {
		t.Errorf("code %q", f.Value("code"))
	}
}

// TestClosedIsToldOnce of those that were admitted, however they end.
func TestClosedIsToldOnce(t *testing.T) {
	var mu sync.Mutex
	ends := make(map[*stomp.Conn]int)
	admitted := make(chan *stomp.Conn, 10)
	n := newNode(t, stomp.Options{
		Authenticate: func(_ context.Context, l *stomp.Login) (string, error) {
			if l.Passcode == "wrong" {
				return "", errors.New("no")
			}
			admitted <- l.Conn()
			return l.Login, nil
		},
		Closed: func(c *stomp.Conn) {
			mu.Lock()
			defer mu.Unlock()
			ends[c]++
		},
	})
	dial(t, n).send("CONNECT", "", "accept-version:1.2", "passcode:wrong")
	connect(t, n, "login:ann").send("DISCONNECT", "")
	left := <-admitted
	cut := connect(t, n)
	c := <-admitted
	c.End("over", "that is it")
	if f := cut.wantError("that is it", websocket.StatusPolicyViolation); f.Value("code") != "over" {
		t.Errorf("code %q", f.Value("code"))
	}
	stays := connect(t, n, "login:eve")
	here := <-admitted
	stays.subscribe("1", "/topic/room")
	if !here.Connected() || !slices.Equal(here.Rooms(), []belfry.Room{"room"}) {
		t.Errorf("connected %v, in %v", here.Connected(), here.Rooms())
	}
	fronttest.Eventually(t, "two have ended, once each", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(ends) == 2 && ends[left] == 1 && ends[c] == 1 && left.User() == "ann"
	})
}

func TestConnectTimeout(t *testing.T) {
	n := newNode(t, stomp.Options{ConnectTimeout: 50 * time.Millisecond})
	dial(t, n).wantError("no CONNECT in time", websocket.StatusPolicyViolation)
	fronttest.Eventually(t, "the connection is gone", func() bool { return n.Connections() == 0 })
}

// TestAuthenticateEndsWithItsClient: a slow one must not hold the server up.
func TestAuthenticateEndsWithItsClient(t *testing.T) {
	asked, ended := make(chan struct{}), make(chan struct{})
	n := newNode(t, stomp.Options{Authenticate: func(ctx context.Context, _ *stomp.Login) (string, error) {
		close(asked)
		<-ctx.Done()
		close(ended)
		return "", ctx.Err()
	}})
	c := dial(t, n)
	c.send("CONNECT", "", "accept-version:1.2")
	<-asked
	_ = c.ws.CloseNow()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("still asked")
	}
}

func TestMaxConnections(t *testing.T) {
	n := newNode(t, stomp.Options{MaxConnections: 1})
	c := connect(t, n)
	_, r, err := websocket.Dial(t.Context(), n.url+"/stomp", nil)
	if err == nil || r == nil || r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" {
		t.Fatalf("a second connection: %v", err)
	}
	_ = c.ws.CloseNow()
	fronttest.Eventually(t, "a place is free", func() bool {
		ws, _, err := websocket.Dial(t.Context(), n.url+"/stomp", nil)
		if err == nil {
			_ = ws.CloseNow()
		}
		return err == nil
	})
}

func TestPlainHTTPIsRefused(t *testing.T) {
	n := newNode(t, stomp.Options{})
	r, err := http.Get(n.url + "/stomp")
	must(t, err)
	must(t, r.Body.Close())
	if r.StatusCode != http.StatusBadRequest {
		t.Errorf("status %d", r.StatusCode)
	}
}

// TestHeartbeats: the server's come, and a client that keeps its own stays.
func TestHeartbeats(t *testing.T) {
	n := newNode(t, stomp.Options{Heartbeat: 20 * time.Millisecond})
	c := dial(t, n)
	c.send("CONNECT", "", "accept-version:1.2", "heart-beat:100000,10")
	c.want("CONNECTED", "heart-beat:20,20")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for range 5 {
		if _, data, err := c.ws.Read(ctx); err != nil || string(data) != "\n" {
			t.Fatalf("got %q, %v, want a heart-beat", data, err)
		}
	}
	c.write("\n")
	c.write("\r\n")
	c.quiet()
}

func TestHeartbeatLossCloses(t *testing.T) {
	n := newNode(t, stomp.Options{Heartbeat: 20 * time.Millisecond})
	c := dial(t, n)
	c.send("CONNECT", "", "accept-version:1.2", "heart-beat:10,0")
	c.want("CONNECTED")
	c.wantError("no heart-beat in time", websocket.StatusPolicyViolation)
}

// TestClientsWithoutHeartbeats are asked by pings, which the library answers while
// it reads.
func TestClientsWithoutHeartbeats(t *testing.T) {
	n := newNode(t, stomp.Options{Heartbeat: time.Second})
	pings := make(chan struct{}, 100)
	c := dialPath(t, n, "/stomp", &websocket.DialOptions{OnPingReceived: func(context.Context, []byte) bool {
		select {
		case pings <- struct{}{}:
		default:
		}
		return true
	}})
	c.send("CONNECT", "", "accept-version:1.1")
	c.want("CONNECTED")
	go func() { _, _ = c.next() }()
	for range 3 {
		select {
		case <-pings:
		case <-time.After(patience):
			t.Fatal("no ping")
		}
	}
}

// TestSilentClientWithoutHeartbeats does not read, so that pings are not answered.
func TestSilentClientWithoutHeartbeats(t *testing.T) {
	n := newNode(t, stomp.Options{Heartbeat: 20 * time.Millisecond})
	connect(t, n)
	fronttest.Eventually(t, "it is closed", func() bool { return n.Connections() == 0 })
}

func TestValidate(t *testing.T) {
	n := newNode(t, stomp.Options{})
	for _, o := range []stomp.Options{
		{Namespace: "a"},
		{Heartbeat: -1},
		{Heartbeat: time.Millisecond},
		{ConnectTimeout: -1},
		{MaxUnacked: -1},
		{Origins: []string{"["}},
		{Limits: frame.Limits{MaxBody: -1}},
	} {
		if _, err := stomp.New(n.io.Hub(), o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
	if _, err := stomp.New(nil, stomp.Options{}); err == nil {
		t.Error("no hub is accepted")
	}
}
