package httpapi_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/internal/httpapi"
)

// lossy loses requests on their way there and answers on their way back.
type lossy struct {
	http.RoundTripper
	mu   sync.Mutex
	dice *rand.Rand
}

var errLost = errors.New("lost")

func (l *lossy) loses() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dice.IntN(5) == 0
}

func (l *lossy) RoundTrip(r *http.Request) (*http.Response, error) {
	if l.loses() {
		return nil, errLost
	}
	got, err := l.RoundTripper.RoundTrip(r)
	if err == nil && l.loses() {
		_, _ = io.Copy(io.Discard, got.Body)
		_ = got.Body.Close()
		return nil, errLost
	}
	return got, err
}

// publishers is how many publish at once, messages how many each.
const (
	publishers = 8
	messages   = 150
)

// publishAll publishes with repetitions until each message was accepted, each time at
// another node. It returns how often a message was sent again.
func publishAll(t *testing.T, nodes []string, client *http.Client, body func(publisher, n int) string) (again int) {
	t.Helper()
	var all sync.WaitGroup
	var mu sync.Mutex
	for p := range publishers {
		all.Go(func() {
			for n := range messages {
				for try := 0; ; try++ {
					r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, nodes[try%len(nodes)]+"/api/publish", strings.NewReader(body(p, n)))
					if err != nil {
						t.Error(err)
						return
					}
					r.Header.Set("Authorization", "Bearer "+key)
					r.Header.Set("Content-Type", "application/json")
					got, err := client.Do(r)
					if err == nil {
						_ = got.Body.Close()
						if got.StatusCode != http.StatusOK {
							t.Errorf("status %d", got.StatusCode)
						}
						break
					}
					mu.Lock()
					again++
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	return again
}

// judge counts every message: lost, more than once, behind a later one of its
// publisher.
func judge(got []string) (lost, doubled, late int) {
	seen := make(map[string]bool)
	last := make(map[int]int)
	for _, data := range got {
		var p, n int
		if _, err := fmt.Sscanf(data, `["n",%d,%d]`, &p, &n); err != nil {
			continue
		}
		switch before, ok := last[p]; {
		case seen[data]:
			doubled++
		case ok && n < before:
			late++
		}
		seen[data] = true
		last[p] = max(last[p], n)
	}
	return publishers*messages - len(seen), doubled, late
}

// TestRepeatedPublishes: who repeats with an id until it is accepted has published
// once, whichever nodes it was sent to. Without ids it has not: that is the control.
func TestRepeatedPublishes(t *testing.T) {
	buses := map[string]func(*testing.T) func() belfry.Bus{"memory": func(*testing.T) func() belfry.Bus {
		bus := memory.New(memory.Options{Log: &memory.Log{}})
		return func() belfry.Bus { return bus }
	}}
	for name, open := range redisBuses {
		buses[name] = open
	}
	for name, open := range buses {
		t.Run(name, func(t *testing.T) {
			bus := open(t)
			a, b := newHub(t, bus(), "node-a"), newHub(t, bus(), "node-b")
			var nodes []string
			for _, h := range []*httptest.Server{httptest.NewServer(newAPI(t, a, httpapi.Options{})), httptest.NewServer(newAPI(t, b, httpapi.Options{}))} {
				defer h.Close()
				nodes = append(nodes, h.URL)
			}
			transport := &http.Transport{MaxIdleConnsPerHost: publishers}
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: &lossy{RoundTripper: transport, dice: rand.New(rand.NewPCG(1, 2))}}
			for _, test := range []struct {
				room string
				id   func(p, n int) string
				once bool
			}{
				{"ids", func(p, n int) string { return fmt.Sprintf(`,"id":"%d-%d"`, p, n) }, true},
				{"none", func(int, int) string { return "" }, false},
			} {
				checkRepeats(t, enter(t, b, belfry.SocketID("in-"+test.room), "", belfry.Room(test.room)), client, nodes, test.id, test.once)
			}
		})
	}
}

func checkRepeats(t *testing.T, g *guest, client *http.Client, nodes []string, id func(p, n int) string, once bool) {
	t.Helper()
	room := strings.TrimPrefix(string(g.id), "in-")
	again := publishAll(t, nodes, client, func(p, n int) string {
		return fmt.Sprintf(`{"rooms":[%q],"event":"n","args":[%d,%d]%s}`, room, p, n, id(p, n))
	})
	must(t, g.space.Publish(t.Context(), &belfry.Message{Data: []byte(`["end"]`), Target: belfry.Target{Rooms: []belfry.Room{belfry.Room(room)}}}))
	g.await("wait for the end", func() bool { return len(g.got) > 0 && string(g.got[len(g.got)-1].Data) == `["end"]` })
	lost, doubled, late := judge(g.data())
	if again < publishers*messages/10 {
		t.Errorf("%d repetitions only: nothing is tested", again)
	}
	if lost > 0 || late > 0 && once || (doubled == 0) != once {
		t.Errorf("%s: %d lost, %d doubled, %d late", room, lost, doubled, late)
	}
}
