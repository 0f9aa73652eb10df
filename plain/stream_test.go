package plain_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/internal/fronttest"
	"github.com/seed-09a96375/belfry/plain"
	"github.com/seed-09a96375/belfry/socketio"
)

// TestStreamBytes: what is on the wire, for whoever has nothing but curl.
func TestStreamBytes(t *testing.T) {
	n := newNode(t, plain.Options{Retry: 1500 * time.Millisecond})
	s := listen(t, n, "?room=r&room=q&room=r", nil)
	if s.status != http.StatusOK || s.header.Get("Content-Type") != "text/event-stream" || s.header.Get("Cache-Control") != "no-cache, no-transform" {
		t.Errorf("%d %v", s.status, s.header)
	}
	var first []string
	for range 5 {
		line, err := s.lines.ReadString('\n')
		must(t, err)
		first = append(first, line)
	}
	if first[0] != "retry: 1500\n" || !strings.HasPrefix(first[1], "id: ") || first[2] != "event: stream:open\n" ||
		!strings.HasSuffix(first[3], `"rooms":["r","q"]}`+"\n") || first[4] != "\n" {
		t.Errorf("a stream begins with %q", first)
	}
	must(t, n.io.To("r").Emit(t.Context(), "two\nlines", socketio.Args{}))
	if e := s.want("r", "message", "[]"); e.Event != "two\nlines" {
		t.Errorf("event %q", e.Event)
	}
	must(t, publishRaw(t, n.io.Hub(), "r", "[ \"e\" ,\r\n{\"a\" :\n1 } ]"))
	s.want("r", "e", `[{"a":1}]`)
}

// TestStreamRefused: what will never work is an error, what may work later is a
// stream that ends, after which browsers come back.
func TestStreamRefused(t *testing.T) {
	var closed atomic.Int64
	o := guarded(&closed)
	o.MaxConnections = 1
	n := newNode(t, o)
	for query, want := range map[string]struct {
		status int
		says   string
	}{
		"?token=x&room=a":                        {http.StatusUnauthorized, `"code":"unauthorized"`},
		"?token=t-ann&room=secret":               {http.StatusForbidden, `"room":"secret"`},
		"?token=t-ann&room=":                     {http.StatusBadRequest, "room is missing"},
		"?token=t-ann&room=%00a":                 {http.StatusBadRequest, "zero byte"},
		"?token=t-ann&room=aaaaaaaaaaaaaaaaaaaa": {http.StatusBadRequest, "id of a client"},
		"?token=away":                            {http.StatusOK, "retry: 3000\n"},
	} {
		s := listen(t, n, query, nil)
		body, err := io.ReadAll(s.lines)
		if err != nil || s.status != want.status || !strings.Contains(string(body), want.says) {
			t.Errorf("%s: %d %s, %v", query, s.status, body, err)
		}
	}
	if got := closed.Load(); got != 1 { // the one who may not be in the room
		t.Errorf("%d were told to have gone", got)
	}
	s := listen(t, n, "?token=t-ann", nil)
	s.read()
	if body, err := io.ReadAll(listen(t, n, "?token=t-bob", nil).lines); err != nil || !strings.HasPrefix(string(body), "retry:") {
		t.Errorf("one too many: %s, %v", body, err)
	}
	r, err := http.Post(n.url+"/sse", "text/plain", nil)
	must(t, err)
	_ = r.Body.Close()
	if r.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", r.StatusCode)
	}
	http.DefaultClient.CloseIdleConnections()
}

// TestStreamOverTLS: also where the connection cannot be taken from net/http.
func TestStreamOverTLS(t *testing.T) {
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true} {
		t.Run(name, func(t *testing.T) {
			n := newNode(t, plain.Options{Heartbeat: 20 * time.Millisecond})
			web := httptest.NewUnstartedServer(n.EventStream())
			web.EnableHTTP2 = http2
			web.StartTLS()
			t.Cleanup(web.Close)
			transport := &http.Transport{
				TLSClientConfig: &tls.Config{RootCAs: web.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}, ForceAttemptHTTP2: http2,
			}
			t.Cleanup(transport.CloseIdleConnections)
			ctx, cancel := context.WithCancel(t.Context())
			t.Cleanup(cancel)
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, web.URL+"/?room=r", nil)
			must(t, err)
			resp, err := transport.RoundTrip(r)
			must(t, err)
			defer resp.Body.Close()
			if resp.Proto != name {
				t.Fatalf("over %s", resp.Proto)
			}
			s := newStream(resp)
			s.t, s.close = t, cancel
			if e := s.read(); e.name != "stream:open" {
				t.Fatalf("got %s", e.name)
			}
			emit(t, n, "x", "r")
			s.want("r", "x", "[]")
			emit(t, n, "y", "r")
			s.want("r", "y", "[]")
			cancel()
			fronttest.Eventually(t, "the stream has gone", func() bool { return n.Connections() == 0 })
		})
	}
}

// TestCurl: a person can use a stream.
func TestCurl(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		missing(t, "curl", "install it")
	}
	n := newNode(t, plain.Options{})
	cmd := exec.Command(curl, "-sN", n.url+"/sse?room=lobby")
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	s := &stream{t: t, lines: bufio.NewReader(out), close: func() { _ = cmd.Process.Kill() }}
	s.read()
	must(t, n.io.To("lobby").Emit(t.Context(), "chat", map[string]string{"text": "hi"}))
	s.want("lobby", "chat", `[{"text":"hi"}]`)
}

// lossyBus gives away its node, so that a test can tell it of losses.
type lossyBus struct {
	belfry.Bus
	node belfry.Node
}

func (b *lossyBus) Attach(ctx context.Context, n belfry.Node) (belfry.Link, error) {
	b.node = n
	return b.Bus.Attach(ctx, n)
}

// TestLossIsTold, and the clients go on.
func TestLossIsTold(t *testing.T) {
	bus := &lossyBus{Bus: memory.New(memory.Options{})}
	n := newNodeOn(t, bus, plain.Options{})
	c, s := connect(t, n), listen(t, n, "?room=a", nil)
	s.read()
	c.ask(`"join":{"room":"a"}`)
	bus.node.(belfry.LossWatcher).Lost(errors.New("on purpose"))
	emit(t, n, "x", "a")
	if m := c.read(); m.Gap == nil || len(m.Gap.Rooms) != 1 || m.Gap.Rooms[0] != "a" {
		t.Errorf("got %s", m.raw)
	}
	c.want("a", "x", "[]")
	if e := s.read(); e.name != "stream:gap" || e.raw != `{"rooms":["a"]}` {
		t.Errorf("got %s %s", e.name, e.raw)
	}
	s.want("a", "x", "[]")
}

func TestDrain(t *testing.T) {
	n := newNode(t, plain.Options{})
	c, s := connect(t, n), listen(t, n, "?room=a", nil)
	s.read()
	must(t, n.Drain(t.Context(), 10*time.Millisecond))
	c.wantClosed(1001)
	if _, err := s.next(); err == nil {
		t.Error("the stream goes on")
	}
	if body, err := io.ReadAll(listen(t, n, "?room=a", nil).lines); err != nil || !strings.HasPrefix(string(body), "retry:") {
		t.Errorf("a new stream: %s, %v", body, err)
	}
}

// TestCloseIsBounded: also when clients do not end their side.
func TestCloseIsBounded(t *testing.T) {
	r := startNode(t, memoryBus(), plain.Options{})
	defer r.stop(t)
	c := dial(t, r.node, "", nil)
	c.write(`{"connect":{}}`)
	fronttest.Eventually(t, "it is there", func() bool { return r.Connections() == 1 })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := r.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("closed with %v", err)
	}
	if got := r.Connections(); got != 0 {
		t.Errorf("%d connections are left", got)
	}
}
