package interop

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// What the configurations in deploy/ promise, one by one, with nodes that misbehave
// as it takes.

const lbPatience = 20 * time.Second

// lbNodes are three nodes that note what comes.
type lbNodes struct {
	t     *testing.T
	addrs [3]string

	mu      sync.Mutex
	seen    []*http.Request
	handler http.HandlerFunc
}

func newLBNodes(t *testing.T) *lbNodes {
	n := &lbNodes{t: t, handler: func(http.ResponseWriter, *http.Request) {}}
	for i := range n.addrs {
		s := httptest.NewServer(n)
		t.Cleanup(s.Close)
		n.addrs[i] = strings.TrimPrefix(s.URL, "http://")
	}
	return n
}

func (n *lbNodes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/healthz/ready" {
		return
	}
	n.mu.Lock()
	n.seen = append(n.seen, r)
	handler := n.handler
	n.mu.Unlock()
	handler(w, r)
}

// serve changes what the nodes do, and forgets what they have seen.
func (n *lbNodes) serve(h http.HandlerFunc) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.handler, n.seen = h, nil
}

func (n *lbNodes) requests() []*http.Request {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.seen
}

// onEachBalancer runs a test in front of three nodes, of which some may be gone.
func onEachBalancer(t *testing.T, gone int, test func(t *testing.T, nodes *lbNodes, addr string)) {
	for _, b := range balancers {
		t.Run(b.name, func(t *testing.T) {
			nodes := newLBNodes(t)
			for i := range gone {
				nodes.addrs[i] = freeAddress(t)
			}
			test(t, nodes, b.start(t, nodes.addrs))
		})
	}
}

// lbAsk sends a request on a connection of its own.
func lbAsk(t *testing.T, addr, method, target string, headers ...string) (*http.Response, string) {
	t.Helper()
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader("4hello")
	}
	ctx, cancel := context.WithTimeout(t.Context(), lbPatience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, "http://"+addr+target, body)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(text)
}

const (
	lbOpen = "/socket.io/?EIO=4&transport=polling"
	lbPoll = lbOpen + "&sid=AAAAAAAAAAAAAAAAAAAA"
)

func TestBalancerHeaders(t *testing.T) {
	onEachBalancer(t, 0, func(t *testing.T, nodes *lbNodes, addr string) {
		lbAsk(t, addr, http.MethodGet, lbPoll, "X-Forwarded-For: 192.0.2.66", "X-Forwarded-Proto: gopher", "Origin: https://a.example")
		seen := nodes.requests()
		if len(seen) != 1 {
			t.Fatalf("%d requests", len(seen))
		}
		r := seen[0]
		for name, want := range map[string]string{"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "http", "Origin": "https://a.example"} {
			if got := strings.Join(r.Header[name], "|"); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		if r.Host != addr || r.URL.RequestURI() != lbPoll {
			t.Errorf("host %q, want %q; target %q", r.Host, addr, r.URL.RequestURI())
		}
		if res, _ := lbAsk(t, addr, http.MethodGet, "/healthz/ready"); res.StatusCode != http.StatusNotFound {
			t.Errorf("health for the world: %s", res.Status)
		}
	})
}

// TestBalancerFetchesOnce: a long poll whose node fails is not sent to another.
func TestBalancerFetchesOnce(t *testing.T) {
	onEachBalancer(t, 0, func(t *testing.T, nodes *lbNodes, addr string) {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			nodes.serve(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
			res, _ := lbAsk(t, addr, method, lbPoll)
			if n := len(nodes.requests()); res.StatusCode != http.StatusBadGateway || n != 1 {
				t.Errorf("%s: %s, sent to %d nodes", method, res.Status, n)
			}
		}
	})
}

// TestBalancerGoesRound: requests are spread over all nodes.
func TestBalancerGoesRound(t *testing.T) {
	onEachBalancer(t, 0, func(t *testing.T, nodes *lbNodes, addr string) {
		counts := make(map[string]int)
		var mu sync.Mutex
		nodes.serve(func(_ http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			counts[r.Context().Value(http.LocalAddrContextKey).(net.Addr).String()]++
		})
		for range 30 {
			lbAsk(t, addr, http.MethodGet, lbPoll)
		}
		for _, node := range nodes.addrs {
			if counts[node] != 10 {
				t.Errorf("requests: %v, want 10 for each node", counts)
			}
		}
	})
}

// TestBalancerWithNodesGone: sessions begin while a single node is left, and what
// clients send arrives.
func TestBalancerWithNodesGone(t *testing.T) {
	onEachBalancer(t, 2, func(t *testing.T, nodes *lbNodes, addr string) {
		for range 10 {
			for method, target := range map[string]string{http.MethodGet: lbOpen, http.MethodPost: lbPoll} {
				if res, _ := lbAsk(t, addr, method, target); res.StatusCode != http.StatusOK {
					t.Errorf("%s %s: %s", method, target, res.Status)
				}
			}
		}
		if n := len(nodes.requests()); n != 20 {
			t.Errorf("%d requests arrived, want 20", n)
		}
	})
}

// TestBalancerFetchesWithNodesGone: a long poll has one try, so nodes that are gone
// have to be known.
func TestBalancerFetchesWithNodesGone(t *testing.T) {
	onEachBalancer(t, 2, func(t *testing.T, _ *lbNodes, addr string) {
		begin, failed := time.Now(), 0
		for range 100 {
			if res, _ := lbAsk(t, addr, http.MethodGet, lbPoll); res.StatusCode != http.StatusOK {
				failed++
			}
		}
		if most := 2 * (1 + int(time.Since(begin)/time.Second)); failed > most {
			t.Errorf("%d of 100 failed, want %d at most: one for each node that is gone, and second", failed, most)
		}
	})
}

// TestBalancerAfterFailures: all nodes fail, with many requests under way, and are
// back at once: so are the clients.
func TestBalancerAfterFailures(t *testing.T) {
	onEachBalancer(t, 0, func(t *testing.T, nodes *lbNodes, addr string) {
		var under atomic.Int32
		full := make(chan struct{})
		nodes.serve(func(http.ResponseWriter, *http.Request) {
			if under.Add(1) == 30 {
				close(full)
			}
			<-full
			panic(http.ErrAbortHandler)
		})
		var all sync.WaitGroup
		for i := range 30 {
			target := lbPoll
			if i%2 == 0 {
				target = "/socket.io/?EIO=4&transport=websocket"
			}
			all.Go(func() {
				c, _ := lbDial(t, addr, fmt.Sprintf("GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", target))
				_, _ = io.Copy(io.Discard, c)
			})
		}
		all.Wait()
		nodes.serve(func(http.ResponseWriter, *http.Request) {})
		for _, target := range []string{lbOpen, "/socket.io/?EIO=4&transport=websocket"} {
			for range 10 {
				if res, _ := lbAsk(t, addr, http.MethodGet, target); res.StatusCode != http.StatusOK {
					t.Errorf("%s: %s", target, res.Status)
				}
			}
		}
		deadline := time.Now().Add(lbPatience)
		for res, _ := lbAsk(t, addr, http.MethodGet, lbPoll); res.StatusCode != http.StatusOK; res, _ = lbAsk(t, addr, http.MethodGet, lbPoll) {
			if time.Now().After(deadline) {
				t.Fatalf("polling: %s", res.Status)
			}
		}
	})
}

// TestBalancerWithNodesDraining: who is turned away by a node comes to another.
func TestBalancerWithNodesDraining(t *testing.T) {
	onEachBalancer(t, 0, func(t *testing.T, nodes *lbNodes, addr string) {
		open := nodes.addrs[0]
		nodes.serve(func(w http.ResponseWriter, r *http.Request) {
			if r.Context().Value(http.LocalAddrContextKey).(net.Addr).String() != open {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		})
		for range 10 {
			if res, _ := lbAsk(t, addr, http.MethodGet, lbOpen); res.StatusCode != http.StatusOK {
				t.Errorf("handshake: %s", res.Status)
			}
		}
	})
}

// TestBalancerWithNodesFull: while all nodes turn new clients away, those that are
// there are served.
func TestBalancerWithNodesFull(t *testing.T) {
	onEachBalancer(t, 0, func(t *testing.T, nodes *lbNodes, addr string) {
		nodes.serve(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("sid") == "" {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		})
		for range 10 {
			if res, _ := lbAsk(t, addr, http.MethodGet, lbOpen); res.StatusCode < 500 {
				t.Errorf("handshake: %s", res.Status)
			}
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				if res, _ := lbAsk(t, addr, method, lbPoll); res.StatusCode != http.StatusOK {
					t.Errorf("%s of a session: %s", method, res.Status)
				}
			}
		}
	})
}

// TestBalancerPassesAtOnce: what a node sends arrives while it goes on, and it
// hears when the client is gone.
func TestBalancerPassesAtOnce(t *testing.T) {
	onEachBalancer(t, 0, func(t *testing.T, nodes *lbNodes, addr string) {
		gone := make(chan struct{})
		nodes.serve(func(w http.ResponseWriter, r *http.Request) {
			defer close(gone)
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, "data: first\n\n")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		})
		c, lines := lbDial(t, addr, "GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(line, "first") {
				break
			}
		}
		c.Close()
		lbWait(t, gone)
	})
}

// TestBalancerTellsOfLeavers: a node hears at once that the client of a long poll
// is gone.
func TestBalancerTellsOfLeavers(t *testing.T) {
	onEachBalancer(t, 0, func(t *testing.T, nodes *lbNodes, addr string) {
		came, gone := make(chan struct{}), make(chan struct{})
		nodes.serve(func(_ http.ResponseWriter, r *http.Request) {
			close(came)
			<-r.Context().Done()
			close(gone)
		})
		c, _ := lbDial(t, addr, fmt.Sprintf("GET %s HTTP/1.1\r\nHost: x\r\n\r\n", lbPoll))
		lbWait(t, came)
		c.Close()
		lbWait(t, gone)
	})
}

func lbDial(t *testing.T, addr, request string) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(lbPatience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	return c, bufio.NewReader(c)
}

func lbWait(t *testing.T, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(lbPatience):
		t.Fatal("it did not happen")
	}
}
