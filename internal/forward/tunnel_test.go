package forward

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/engineio"
)

// TestUpgrade: a client polls on one node and opens its WebSocket on another.
func TestUpgrade(t *testing.T) {
	nodes := cluster(t, 2, nil)
	p, s := open(t, nodes[0])
	ws := p.upgrade(nodes[1])
	for i := range 1000 {
		ws.write(websocket.MessageText, fmt.Sprintf("4message %d", i))
	}
	for i := range 1000 {
		ws.want(fmt.Sprintf("4message %d", i))
	}
	big := strings.Repeat("x", 900_000)
	ws.write(websocket.MessageBinary, big)
	ws.want(big)
	if s.Transport() != engineio.WebSocket || nodes[1].forward.Active() != 1 {
		t.Errorf("transport %v, %d tunnels", s.Transport(), nodes[1].forward.Active())
	}
}

// TestTunnelEnds: whichever side ends, the other is told, and nothing is left.
func TestTunnelEnds(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(ws socket, s *session, nodes []*node)
		want engineio.Reason
	}{
		"client closes": {func(ws socket, _ *session, _ []*node) {
			_ = ws.Close(websocket.StatusNormalClosure, "")
		}, engineio.ReasonTransportClose},
		"client breaks off": {func(ws socket, _ *session, _ []*node) { _ = ws.CloseNow() }, engineio.ReasonTransportClose},
		"server closes": {func(ws socket, s *session, _ []*node) {
			_ = s.Send(engineio.NewText(append(engineio.Buffer(3), "bye"...), nil), engineio.SendOptions{})
			s.Session.Close()
			ws.want("4bye")
		}, engineio.ReasonForcedClose},
		"node between closes": {func(_ socket, _ *session, nodes []*node) {
			if err := nodes[1].forward.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}, engineio.ReasonTransportClose},
		"node between drains": {func(_ socket, _ *session, nodes []*node) {
			nodes[1].forward.EachTunnel(func(end func()) { end() })
		}, engineio.ReasonTransportClose},
		"poller of the node between closes": {func(_ socket, _ *session, nodes []*node) {
			if err := nodes[1].Close(t.Context()); err != nil {
				t.Error(err)
			}
		}, engineio.ReasonTransportClose},
	} {
		t.Run(name, func(t *testing.T) {
			nodes := cluster(t, 2, nil)
			p, s := open(t, nodes[0])
			ws := p.upgrade(nodes[1])
			ws.write(websocket.MessageText, "4x")
			ws.want("4x")
			c.end(ws, s, nodes)
			if got := receive(t, s.closed, "the end"); got != c.want {
				t.Errorf("closed with %q, want %q", got, c.want)
			}
			if got, err := ws.read(); err == nil {
				t.Errorf("read %q after the end", got)
			}
			eventually(t, "no tunnel is left", func() bool { return nodes[1].forward.Active() == 0 })
		})
	}
}

// TestTunnelWaits: a client that sends more than its session takes is slowed
// down, not cut off, and loses nothing.
func TestTunnelWaits(t *testing.T) {
	const messages, size = 300, 100_000 // more than all buffers on the way
	nodes := cluster(t, 2, nil)
	p, s := open(t, nodes[0])
	ws := p.upgrade(nodes[1])
	ws.write(websocket.MessageText, "4x")
	ws.want("4x")
	s.quiet.Store(true)
	s.Pause()
	sent := make(chan error, 1)
	go func() {
		for i := range messages {
			text := fmt.Sprintf("4%d %s", i, strings.Repeat("x", size))
			if err := ws.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	waiting := waitingForOwner(nodes[1])
	eventually(t, "the tunnel is full", func() bool { return waiting() > maxWaiting })
	if n := waiting(); n > 4*maxWaiting {
		t.Errorf("%d bytes wait in the tunnel", n)
	}
	s.Resume()
	for i := range messages {
		if got := receive(t, s.got, "a message"); !strings.HasPrefix(got, fmt.Sprintf("%d ", i)) || len(got) < size {
			t.Fatalf("message %d is %.20q", i, got)
		}
	}
	if err := receive(t, sent, "the end of sending"); err != nil {
		t.Error(err)
	}
}

// waitingForOwner returns a function that tells how many bytes wait in the only
// tunnel of a node.
func waitingForOwner(n *node) func() int {
	ts := &n.forward.tunnels
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for pair := range ts.open {
		pair.mu.Lock()
		defer pair.mu.Unlock()
		return pair.owner.conn.Buffered
	}
	return nil
}

// TestUpgradeRefused: an answer that is no WebSocket comes back as it is.
func TestUpgradeRefused(t *testing.T) {
	nodes := cluster(t, 2, func(o *engineio.Options) { o.CORS = &engineio.CORS{Origin: "*"} })
	p, _ := open(t, nodes[0])
	for _, n := range nodes {
		for query, want := range map[string]string{
			"EIO=4&transport=websocket&sid=" + p.sid[:4] + strings.Repeat("A", 16): "Session ID unknown",
			"EIO=3&transport=websocket&sid=" + p.sid:                               "Bad request",
		} {
			_, res, err := websocket.Dial(t.Context(), n.web.URL+"/engine.io/?"+query, &websocket.DialOptions{HTTPClient: p.http})
			if err == nil || res == nil || res.StatusCode != 400 {
				t.Fatalf("%s: %v, %v", n.id, res, err)
			}
			body := make([]byte, 100)
			m, _ := res.Body.Read(body)
			if string(body[:m]) != want || len(res.Header["Access-Control-Allow-Origin"]) != 1 || len(res.Header["Content-Length"]) != 1 {
				t.Errorf("%s: body %q, want %q; %v", n.id, body[:m], want, res.Header)
			}
		}
	}
}

// TestTLS: nodes reach each other over TLS, for requests and for WebSockets.
func TestTLS(t *testing.T) {
	b := &book{urls: make(map[belfry.NodeID]string)}
	front := newNode(t, b, "front", httptest.NewUnstartedServer, nil)
	owner := newNode(t, b, "owner", httptest.NewUnstartedServer, nil)
	front.web.Start()
	owner.web.StartTLS()
	b.set(owner.id, strings.Replace(b.urls[owner.id], "http://", "https://", 1))
	p, _ := open(t, owner)
	p.wantPost(front, "4over TLS")
	p.wantGet(front, "4over TLS")
	ws := p.upgrade(front)
	ws.write(websocket.MessageText, "4and back")
	ws.want("4and back")
}
