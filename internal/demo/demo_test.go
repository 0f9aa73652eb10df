package demo

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/internal/cluster"
)

const patience = 30 * time.Second

// running is a demo under test.
type running struct {
	urls []string // of the nodes
	stop context.CancelFunc
	over chan error
	out  chan string // its lines; closed at the end
}

var pageLine = regexp.MustCompile(`^  (node-\d)  (http://\S+/)$`)

// start runs a demo on free ports and reads the addresses that it prints.
func start(t *testing.T, nodes int, more ...func(*Options)) *running {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	r, w := io.Pipe()
	d := &running{stop: stop, over: make(chan error, 1), out: make(chan string, 100)}
	go func() {
		defer close(d.out)
		for lines := bufio.NewScanner(r); lines.Scan(); {
			d.out <- lines.Text()
		}
	}()
	go func() {
		o := Options{Nodes: nodes, Listen: "127.0.0.1:0", Out: w, Logger: slog.New(slog.DiscardHandler)}
		for _, f := range more {
			f(&o)
		}
		err := Run(ctx, o)
		_ = w.Close()
		d.over <- err
	}()
	t.Cleanup(func() {
		stop()
		_ = r.Close()
	})
	for line := range d.out {
		if m := pageLine.FindStringSubmatch(line); m != nil {
			d.urls = append(d.urls, m[2])
		}
		if len(d.urls) == nodes {
			return d
		}
	}
	t.Fatalf("%d addresses were printed, want %d", len(d.urls), nodes)
	return nil
}

// rest reads on until the demo has ended.
func (d *running) rest(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for line := range d.out {
		b.WriteString(line + "\n")
	}
	select {
	case err := <-d.over:
		if err != nil {
			t.Errorf("Run: %v", err)
		}
	case <-time.After(patience):
		t.Fatal("Run does not return")
	}
	return b.String()
}

// answer is what an HTTP server says.
type answer struct {
	status int
	header http.Header
	body   string
}

func get(t *testing.T, url string, header http.Header) answer {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	q.Header = header
	r, err := client.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{r.StatusCode, r.Header, string(b)}
}

// leave ends the session that began with that handshake: a polling client that
// says nothing is waited for.
func leave(t *testing.T, url, handshake string) {
	t.Helper()
	var open struct{ SID string }
	if err := json.Unmarshal([]byte(handshake[1:]), &open); err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	r, err := client.Post(url+"socket.io/?EIO=4&transport=polling&sid="+open.SID, "text/plain", strings.NewReader("1"))
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
}

func TestRunServesAndStops(t *testing.T) {
	d := start(t, 2)
	for _, u := range d.urls {
		if a := get(t, u+"chat/", nil); a.status != http.StatusOK || !strings.Contains(a.body, `data-testid="chat-messages"`) {
			t.Errorf("page is %d %q", a.status, a.body)
		}
		a := get(t, u+"socket.io/?EIO=4&transport=polling", nil)
		if a.status != http.StatusOK || !strings.HasPrefix(a.body, `0{"sid":"`) {
			t.Fatalf("handshake is answered with %d %q", a.status, a.body)
		}
		leave(t, u, a.body)
	}
	d.stop()
	if got := d.rest(t); !strings.HasSuffix(got, "Stopped.\n") {
		t.Errorf("the last output is %q, want that it has stopped", got)
	}
	for _, u := range d.urls {
		parsed, err := url.Parse(u)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := net.Dial("tcp", parsed.Host); err == nil {
			_ = c.Close()
			t.Errorf("%s still listens", parsed.Host)
		}
	}
}

func TestApplications(t *testing.T) {
	d := start(t, 2)
	defer func() { d.stop(); d.rest(t) }()
	for path, want := range map[string]string{
		"":              `href="meet/"`,
		"chat/":         `href="/meet/"`,
		"meet/":         `data-testid="meet-join"`,
		"meet/room/any": `data-testid="meet-video"`,
		"api/rooms":     "[]\n",
		"orders/":       `data-testid="orders-order"`,
		"fleet/":        `data-testid="fleet-map"`,
	} {
		a := get(t, d.urls[1]+path, nil)
		if a.status != http.StatusOK || !strings.Contains(a.body, want) {
			t.Errorf("/%s is %d %q, want %q in it", path, a.status, a.body, want)
		}
		if a.header.Get("Content-Security-Policy") == "" {
			t.Errorf("/%s is not secured", path)
		}
	}
	if a := get(t, d.urls[0]+"meet/config.json", nil); !strings.Contains(a.body, `"url":"/chat/"`) {
		t.Errorf("the page of meet has no link to the chat: %s", a.body)
	}
}

// TestAPIIsOpen: POST /api/notification is accepted, and the rest of the API is there,
// but not for pages of others.
func TestAPIIsOpen(t *testing.T) {
	d := start(t, 1)
	defer func() { d.stop(); d.rest(t) }()
	for kind, want := range map[string]int{"application/json": http.StatusOK, "text/plain": http.StatusUnsupportedMediaType} {
		for path, body := range map[string]string{
			"api/notification": `{"topic":"/topic/toast","message":"hi"}`,
			"api/publish":      `{"rooms":["toast"],"event":"message"}`,
		} {
			client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
			r, err := client.Post(d.urls[0]+path, kind, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			_ = r.Body.Close()
			if r.StatusCode != want {
				t.Errorf("/%s with %s is answered with %d, want %d", path, kind, r.StatusCode, want)
			}
		}
	}
}

// TestRunWithoutBackends: others may do their work.
func TestRunWithoutBackends(t *testing.T) {
	d := start(t, 1, func(o *Options) { o.Backends = -1 })
	d.stop()
	if got := d.rest(t); !strings.HasSuffix(got, "Stopped.\n") {
		t.Errorf("the last output is %q, want that it has stopped", got)
	}
}

func TestPageFacts(t *testing.T) {
	d := start(t, 3)
	defer func() { d.stop(); d.rest(t) }()
	for i, u := range d.urls {
		a := get(t, u+"demo.json", nil)
		if got := a.header.Get("Content-Type"); got != "application/json" {
			t.Errorf("content type is %q", got)
		}
		var f facts
		if err := json.Unmarshal([]byte(a.body), &f); err != nil {
			t.Fatal(err)
		}
		if f.Node != nodeName(i) || len(f.Nodes) != 3 {
			t.Fatalf("node %d says %+v", i, f)
		}
		for k, n := range f.Nodes {
			parsed, err := url.Parse(d.urls[k])
			if err != nil {
				t.Fatal(err)
			}
			if n.Name != nodeName(k) || parsed.Port() != itoa(n.Port) {
				t.Errorf("node %d is %+v, want %s at %s", k, n, nodeName(k), parsed.Host)
			}
		}
	}
}

func TestPageIsClosedToOthers(t *testing.T) {
	d := start(t, 1)
	defer func() { d.stop(); d.rest(t) }()
	start := get(t, d.urls[0], nil)
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'self';",
		"X-Content-Type-Options":  "nosniff",
		"Cache-Control":           "no-cache",
	} {
		if got := start.header.Get(name); !strings.HasPrefix(got, want) {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	handshake := d.urls[0] + "socket.io/?EIO=4&transport=polling"
	own := http.Header{"Origin": {strings.TrimSuffix(d.urls[0], "/")}}
	a := get(t, handshake, own)
	if a.status != http.StatusOK {
		t.Fatalf("its own page gets %d %s", a.status, a.body)
	}
	leave(t, d.urls[0], a.body)
	foreign := http.Header{"Origin": {"http://example.com"}}
	if a := get(t, handshake, foreign); a.status != http.StatusForbidden {
		t.Errorf("a foreign page gets %d %s, want 403", a.status, a.body)
	}
}

func TestClientBundle(t *testing.T) {
	d := start(t, 1)
	defer func() { d.stop(); d.rest(t) }()
	a := get(t, d.urls[0]+"socket.io/socket.io.js", nil)
	if clientBundle() == nil {
		if a.status != http.StatusBadRequest {
			t.Errorf("without a bundle: %d, want the 400 that the page's script takes for none", a.status)
		}
		return
	}
	if a.status != http.StatusOK || a.body != string(clientBundle()) {
		t.Errorf("bundle is %d, %d bytes; want 200, %d bytes", a.status, len(a.body), len(clientBundle()))
	}
}

func TestPortTaken(t *testing.T) {
	taken, err := cluster.Listen(t.Context(), "127.0.0.1:0", 1)
	if err != nil {
		t.Fatal(err)
	}
	defer taken[0].Close()
	err = Run(t.Context(), Options{Nodes: 1, Listen: taken[0].Addr().String()})
	var listen *cluster.ListenError
	if !errors.As(err, &listen) || !strings.Contains(err.Error(), "is taken") {
		t.Errorf("error is %v, want that the port is taken", err)
	}
}

func TestValidate(t *testing.T) {
	for nodes, valid := range map[int]bool{-1: false, 0: true, 1: true, MaxNodes: true, MaxNodes + 1: false} {
		err := Options{Nodes: nodes}.Validate()
		if (err == nil) != valid {
			t.Errorf("%d nodes: %v", nodes, err)
		}
		if err != nil && !strings.Contains(err.Error(), "Options.Nodes is "+itoa(nodes)) {
			t.Errorf("error is %q, want it to name field and value", err)
		}
	}
}

func TestValidateBackends(t *testing.T) {
	for backends, valid := range map[int]bool{-2: false, -1: true, 0: true, MaxBackends: true, MaxBackends + 1: false} {
		err := Options{Backends: backends}.Validate()
		if (err == nil) != valid || err != nil && !strings.Contains(err.Error(), "Options.Backends is "+itoa(backends)) {
			t.Errorf("%d backends: %v", backends, err)
		}
	}
}
