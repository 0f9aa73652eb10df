package socketio_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/engineio"
	"github.com/seed-09a96375/belfry/internal/fronttest"
	"github.com/seed-09a96375/belfry/socketio"
)

// advertised starts servers that pass requests on to each other.
func advertised(t *testing.T, bus func() belfry.Bus, n int) []*node {
	t.Helper()
	nodes := make([]*node, n)
	for i := range nodes {
		web := httptest.NewUnstartedServer(nil)
		srv, err := socketio.New(socketio.Options{
			Bus:       bus(),
			Advertise: "http://" + web.Listener.Addr().String() + "/socket.io/",
		})
		if err != nil {
			t.Fatal(err)
		}
		web.Config.Handler = srv
		web.Start()
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			if err := srv.Close(ctx); err != nil {
				t.Errorf("close server: %v", err)
			}
			web.Close()
		})
		nodes[i] = &node{Server: srv, url: web.URL}
	}
	return nodes
}

// ask sends one request over polling and returns the answer's status and body.
func ask(t *testing.T, n *node, sid, body string) (int, string) {
	t.Helper()
	method, url := http.MethodGet, n.url+"/socket.io/?EIO=4&transport=polling"
	if sid != "" {
		url += "&sid=" + sid
	}
	if body != "" {
		method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// TestPollingOnAnyNode: every request of a client goes to another node.
func TestPollingOnAnyNode(t *testing.T) {
	for name, begin := range fronttest.Buses() {
		t.Run(name, func(t *testing.T) { pollOnAnyNode(t, advertised(t, begin(t), 3)) })
	}
}

func pollOnAnyNode(t *testing.T, nodes []*node) {
	for _, n := range nodes {
		socketio.OnAck(n, "echo", func(_ context.Context, _ *socketio.Socket, text string) (string, error) { return text, nil })
	}
	_, open := ask(t, nodes[0], "", "")
	_, rest, _ := strings.Cut(open, `"sid":"`)
	sid, _, _ := strings.Cut(rest, `"`)
	turn := 0
	next := func(body string) string {
		turn++
		status, answer := ask(t, nodes[turn%3], sid, body)
		if status != http.StatusOK {
			t.Fatalf("request %d: %d %q", turn, status, answer)
		}
		return answer
	}
	next("40")
	if got := next(""); !strings.HasPrefix(got, `40{"sid":`) {
		t.Fatalf("answer to CONNECT: %q", got)
	}
	for i := range 30 {
		next(fmt.Sprintf(`42%d["echo","text %d"]`, i, i))
		if got, want := next(""), fmt.Sprintf(`43%d["text %d"]`, i, i); got != want {
			t.Fatalf("ack %q, want %q", got, want)
		}
	}
	if n := nodes[0].Engine().Sessions() + nodes[1].Engine().Sessions() + nodes[2].Engine().Sessions(); n != 1 {
		t.Errorf("%d sessions", n)
	}
}

// TestPollingWithoutAdvertise is the control: a node that tells nobody where it
// is answers for itself alone.
func TestPollingWithoutAdvertise(t *testing.T) {
	nodes := cluster(t, 2, socketio.Options{})
	_, open := ask(t, nodes[0], "", "")
	_, rest, _ := strings.Cut(open, `"sid":"`)
	sid, _, _ := strings.Cut(rest, `"`)
	if status, body := ask(t, nodes[1], sid, "40"); status != http.StatusBadRequest || !strings.Contains(body, "Session ID unknown") {
		t.Errorf("%d %q", status, body)
	}
}

// silentBus is a bus without a directory.
type silentBus struct{ belfry.Bus }

func (b silentBus) Attach(ctx context.Context, n belfry.Node) (belfry.Link, error) {
	link, err := b.Bus.Attach(ctx, n)
	return struct{ belfry.Link }{link}, err
}

func TestAdvertiseThatCannotWork(t *testing.T) {
	for _, o := range []socketio.Options{
		{Advertise: "10.0.0.3:8080"},
		{Advertise: "http://10.0.0.3/", Bus: silentBus{memory.New(memory.Options{})}},
	} {
		if _, err := socketio.New(o); err == nil || !strings.Contains(err.Error(), "Options.Advertise") {
			t.Errorf("%+v: error %v, want one that names the option", o.Advertise, err)
		}
	}
}

// TestClientBundleForOtherPages: the client itself may be loaded from pages of
// other origins, too.
func TestClientBundleForOtherPages(t *testing.T) {
	n := newNode(t, socketio.Options{
		ClientBundle: socketio.ClientBundle("text"),
		EngineIO:     engineio.Options{CORS: &engineio.CORS{Origins: []string{"https://a.example"}}},
	})
	for origin, allowed := range map[string]string{"https://a.example": "https://a.example", "https://b.example": ""} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, n.url+"/socket.io/socket.io.js", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", origin)
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if string(body) != "text" || res.Header.Get("Access-Control-Allow-Origin") != allowed || len(res.Header["Vary"]) != 1 {
			t.Errorf("%s: %q %v", origin, body, res.Header)
		}
	}
}

// TestDrainEndsWhatIsPassedOn: clients that come through a node have their sessions
// on another, and lose their connections with this one.
func TestDrainEndsWhatIsPassedOn(t *testing.T) {
	nodes := advertised(t, fronttest.Memory(t), 2)
	owner, between := nodes[0], nodes[1]
	sid := begin(t, owner)
	ws := upgradeThrough(t, between, sid)
	if err := between.Drain(t.Context(), 0); err != nil {
		t.Errorf("Drain: %v", err)
	}
	if _, p, err := ws.Read(t.Context()); err == nil {
		t.Errorf("read %q through a node that has drained", p)
	}
}

// TestDrainWaitsForPolls: an answer that is passed on still arrives.
func TestDrainWaitsForPolls(t *testing.T) {
	nodes := advertised(t, fronttest.Memory(t), 2)
	owner, between := nodes[0], nodes[1]
	sid := begin(t, owner)
	drained := make(chan error, 1)
	answered := make(chan string, 1)
	go func() {
		res, err := http.Get(between.url + "/socket.io/?EIO=4&transport=polling&sid=" + sid)
		if err != nil {
			answered <- err.Error()
			return
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			answered <- err.Error()
			return
		}
		answered <- string(b)
	}()
	socketio.WaitPassedOn(t, between.Server, 1)
	go func() { drained <- between.Drain(t.Context(), time.Hour) }()
	mustEmit(t, owner.Emit(t.Context(), "last"))
	if got := <-answered; got != `42["last"]` {
		t.Errorf("answer %q", got)
	}
	if err := <-drained; err != nil {
		t.Errorf("Drain: %v", err)
	}
}

// begin opens a session over polling and connects it.
func begin(t *testing.T, n *node) (sid string) {
	t.Helper()
	_, open := ask(t, n, "", "")
	_, rest, _ := strings.Cut(open, `"sid":"`)
	sid, _, _ = strings.Cut(rest, `"`)
	ask(t, n, sid, "40")
	if _, got := ask(t, n, sid, ""); !strings.HasPrefix(got, `40{"sid":`) {
		t.Fatalf("answer to CONNECT: %q", got)
	}
	return sid
}

// upgradeThrough moves a session to a WebSocket that another node passes on.
func upgradeThrough(t *testing.T, n *node, sid string) *websocket.Conn {
	t.Helper()
	ws, _, err := websocket.Dial(t.Context(), n.url+"/socket.io/?EIO=4&transport=websocket&sid="+sid, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.CloseNow() })
	for _, p := range []string{"2probe", "5"} {
		if err := ws.Write(t.Context(), websocket.MessageText, []byte(p)); err != nil {
			t.Fatal(err)
		}
		if p == "2probe" {
			if _, got, err := ws.Read(t.Context()); err != nil || string(got) != "3probe" {
				t.Fatalf("answer to the probe: %q, %v", got, err)
			}
		}
	}
	return ws
}
