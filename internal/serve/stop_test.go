package serve

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/internal/route"
	"github.com/seed-09a96375/belfry/queue/webhook"
)

// answered are options of a node whose clients ask a webhook.
func answered(t *testing.T) Options {
	t.Helper()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `"yes"`)
	}))
	t.Cleanup(backend.Close)
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	o := guarded()
	o.Webhooks = []webhook.Options{{Name: "w", URL: backend.URL, Secret: base64.StdEncoding.EncodeToString(key)}}
	o.Routes.Routes = []route.Route{{Event: "ask", Webhook: "w", Reply: true}}
	o.DrainDelay, o.Drain = 200*time.Millisecond, time.Second
	return o
}

// TestStopWithAllFronts: the clients of all fronts go on asking while the node stops.
// Every answer that they get is the backend's, until they are told to go: what they
// lean on ends after them.
func TestStopWithAllFronts(t *testing.T) {
	n := start(t, answered(t))
	base, ada := rootOf(n.addr), token(t, "ada", time.Hour, map[string]any{"join": []string{"room"}})
	var asked sync.WaitGroup // everybody, once
	var all sync.WaitGroup
	asked.Add(3)
	goOn := func(front string, ask func() string, want ...string) {
		all.Go(func() {
			for i := 0; ; i++ {
				got := ask()
				if i == 0 {
					asked.Done()
				}
				switch {
				case got == "closed" && i > 0:
					return
				case !slices.Contains(want, got):
					t.Errorf("%s is answered with %q", front, got)
					return
				}
			}
		})
	}
	io, _ := dial(t, n.addr, `{"token":"`+ada+`"}`, nil)
	goOn("Socket.IO", func() string { return io.tryAsk(`["ask"]`) }, `["yes"]`)
	plain, _ := connectPlain(t, base, ada)
	goOn("plain", func() string { return plain.tryAsk(`{"id":1,"event":{"name":"ask"}}`) }, `["yes"]`)
	stomp := connectSTOMP(t, base, ada)
	stomp.subscribe("1", "/user/queue/ask")
	goOn("STOMP", stomp.tryAsk, "yes")
	events, _ := openStream(t, base, ada, "room")
	all.Go(func() {
		for events.lines.Scan() { // until it ends
		}
		_ = events.body.Close()
	})
	asked.Wait()
	n.stop()
	all.Wait()
	if log := strings.Join(n.lines(), ""); strings.Contains(log, "cut off") {
		t.Errorf("clients that left when they were told to did not leave:\n%s", log)
	}
	wantOrder(t, n.lines(), "msg=\"stopping: ", "msg=draining", "msg=drained", "msg=stopped")
}

// wantOrder wants lines with these texts, in this order.
func wantOrder(t *testing.T, lines []string, texts ...string) {
	t.Helper()
	rest := lines
	for _, text := range texts {
		i := slices.IndexFunc(rest, func(line string) bool { return strings.Contains(line, text) })
		if i < 0 {
			t.Fatalf("no %s in its place:\n%s", text, strings.Join(lines, ""))
		}
		rest = rest[i+1:]
	}
}

// tryAsk emits an event and returns the ack; "closed" at the end.
func (p *peer) tryAsk(event string) string {
	p.acks = 1
	if p.tryWrite("421"+event) != nil {
		return "closed"
	}
	got := p.read()
	return strings.TrimPrefix(got, "431")
}

// tryAsk returns the arguments of the answer; "closed" at the end.
func (p *plainPeer) tryAsk(request string) string {
	if p.trySend(request) != nil {
		return "closed"
	}
	text := p.read()
	var got struct {
		OK struct{ Args json.RawMessage }
	}
	if json.Unmarshal([]byte(text), &got) != nil || got.OK.Args == nil {
		return text
	}
	return string(got.OK.Args)
}

// tryAsk asks by /app/ask, and returns the body of the answer; "closed" at the end.
func (p *stompPeer) tryAsk() string {
	if p.trySend("SEND", "", "destination:/app/ask") != nil {
		return "closed"
	}
	f := p.read()
	if f == nil {
		return "closed"
	}
	return string(f.Body)
}
