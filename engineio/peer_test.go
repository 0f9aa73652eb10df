package engineio

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/seed-09a96375/belfry/engineio/packet"
	"github.com/seed-09a96375/belfry/websocket"
)

// peer is a well-behaved client over any transport: it answers pings, polls, and
// hands over what comes.
type peer struct {
	t        testing.TB
	protocol int
	incoming chan string // messages; binary ones with the prefix "bin:"
	gone     chan error  // the transport ended; nil: orderly

	mu   sync.Mutex // held during an upgrade, and while something is sent
	link link
}

// link is the transport of a peer.
type link interface {
	send(p packet.Packet) error
	close()
}

// ways are all the ways to have a session.
var ways = []struct {
	name     string
	protocol int
	open     func(*testServer, int) *peer
	after    Transport
}{
	{"polling", 4, openPolling, Polling},
	{"websocket", 4, openWebSocket, WebSocket},
	{"upgrade", 4, openUpgrade, WebSocket},
	{"polling, protocol 3", 3, openPolling, Polling},
	{"websocket, protocol 3", 3, openWebSocket, WebSocket},
	{"upgrade, protocol 3", 3, openUpgrade, WebSocket},
}

// overTransports runs a test over each of them.
func overTransports(t *testing.T, test func(*testing.T, *peer, *testSession)) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			ts := serve(t, Options{AllowEIO3: true}, nil)
			p := way.open(ts, way.protocol)
			defer p.link.close()
			s := ts.next()
			if s.Transport() != way.after {
				t.Fatalf("transport %v", s.Transport())
			}
			test(t, p, s)
		})
	}
}

func newPeer(t testing.TB, protocol int) *peer {
	return &peer{t: t, protocol: protocol, incoming: make(chan string, 1<<16), gone: make(chan error, 1)}
}

func (p *peer) send(s string) {
	p.t.Helper()
	p.sendPacket(packet.Packet{Type: packet.Message, Data: []byte(s)})
}

func (p *peer) sendBinary(s string) {
	p.t.Helper()
	p.sendPacket(packet.Packet{Type: packet.Message, Binary: true, Data: []byte(s)})
}

func (p *peer) sendPacket(pk packet.Packet) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.link.send(pk); err != nil {
		p.t.Errorf("send: %v", err)
	}
}

func (p *peer) want(messages ...string) {
	p.t.Helper()
	for _, want := range messages {
		if got := receive(p.t, p.incoming, "message "+want); got != want {
			p.t.Fatalf("message %q, want %q", got, want)
		}
	}
}

// take acts on a packet. It reports false if it was the last.
func (p *peer) take(pk packet.Packet) bool {
	switch pk.Type {
	case packet.Message:
		s := string(pk.Data)
		if pk.Binary {
			s = "bin:" + s
		}
		p.incoming <- s
	case packet.Ping:
		if err := p.link.send(packet.Packet{Type: packet.Pong}); err != nil {
			return false
		}
	case packet.Close:
		return false
	}
	return true
}

// pollLink polls on one connection and posts on another.
type pollLink struct {
	*pollClient
	gets, posts net.Conn
	getReader   *bufio.Reader
	postReader  *bufio.Reader

	pause  chan struct{} // closed: no GET after this one
	paused chan struct{} // closed: the last GET is answered
}

func openPolling(ts *testServer, protocol int) *peer {
	ts.t.Helper()
	p := newPeer(ts.t, protocol)
	l := &pollLink{pollClient: ts.poll(protocol), pause: make(chan struct{}), paused: make(chan struct{})}
	l.gets, l.getReader = dial(ts.t, ts.addr)
	l.posts, l.postReader = dial(ts.t, ts.addr)
	p.link = l
	go l.run(p)
	return p
}

func (l *pollLink) run(p *peer) {
	defer close(l.paused)
	for {
		select {
		case <-l.pause:
			return
		default:
		}
		more, err := l.pollOnce(p)
		if !more || err != nil {
			p.gone <- err
			return
		}
	}
}

func (l *pollLink) pollOnce(p *peer) (bool, error) {
	if _, err := io.WriteString(l.gets, get(l.query()+"&b64=1")); err != nil {
		return false, err
	}
	res, err := http.ReadResponse(l.getReader, nil)
	if err != nil {
		return false, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		return false, errors.Join(err, fmt.Errorf("GET: %s %s", res.Status, body))
	}
	payload := packet.Payload
	if p.protocol == 3 {
		payload = packet.PayloadV3
	}
	for pk, err := range payload(body) {
		if err != nil {
			return false, err
		}
		if !p.take(pk) {
			return false, nil
		}
	}
	return true, nil
}

func (l *pollLink) send(pk packet.Packet) error {
	var body []byte
	if l.eio == 3 {
		body = packet.AppendPayloadV3(nil, pk)
	} else {
		body = packet.AppendPayload(nil, pk)
	}
	if _, err := io.WriteString(l.posts, post(l.query(), string(body))); err != nil {
		return err
	}
	res, err := http.ReadResponse(l.postReader, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if b, err := io.ReadAll(res.Body); err != nil || string(b) != "ok" {
		return fmt.Errorf("POST: %s %q %w", res.Status, b, err)
	}
	return nil
}

func (l *pollLink) close() {
	l.gets.Close()
	l.posts.Close()
}

// wsLink is a WebSocket.
type wsLink struct {
	*wsClient
	protocol int
	mu       sync.Mutex
}

func openWebSocket(ts *testServer, protocol int) *peer {
	ts.t.Helper()
	p := newPeer(ts.t, protocol)
	w, _ := ts.ws(protocol)
	l := &wsLink{wsClient: w, protocol: protocol}
	p.link = l
	go l.run(p)
	return p
}

func (l *wsLink) run(p *peer) {
	for {
		op, data, err := l.next()
		if err != nil {
			p.gone <- err
			return
		}
		if op == opClose {
			p.gone <- nil
			_, err := l.c.Write(frameBytes(opClose, data))
			l.c.Close()
			_ = err // the server may be gone
			return
		}
		pk, err := decodeFrame(uint8(l.protocol), op, []byte(data))
		if err != nil {
			p.gone <- err
			return
		}
		if !p.take(pk) {
			p.gone <- nil
			return
		}
	}
}

func (l *wsLink) send(pk packet.Packet) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	op, data := websocket.Text, string(packet.Append(nil, pk))
	if pk.Binary {
		op, data = websocket.Binary, string(pk.Data)
		if l.protocol == 3 {
			data = "\x04" + data
		}
	}
	_, err := l.c.Write(frameBytes(op, data))
	return err
}

func (l *wsLink) close() { l.c.Close() }

// openUpgrade begins with polling and moves to a WebSocket as clients do.
func openUpgrade(ts *testServer, protocol int) *peer {
	ts.t.Helper()
	p := openPolling(ts, protocol)
	p.upgrade(ts)
	return p
}

// upgrade moves a polling peer to a WebSocket. Sends of others wait meanwhile.
func (p *peer) upgrade(ts *testServer) {
	p.t.Helper()
	old := p.link.(*pollLink)
	w := ts.upgrade(fmt.Sprintf("EIO=%d&transport=websocket&sid=%s", old.eio, old.sid))
	w.text("2probe")
	w.want(websocket.Text, "3probe")
	close(old.pause)
	receive(p.t, old.paused, "the last GET's answer")
	p.mu.Lock() // the last POST is answered
	defer p.mu.Unlock()
	l := &wsLink{wsClient: w, protocol: old.eio}
	p.link = l
	w.text("5")
	go l.run(p)
	sess := ts.find(old.sid)
	eventually(p.t, "the session is upgraded", func() bool { return sess.Transport() == WebSocket })
}

func (ts *testServer) find(sid string) *Session {
	id, _ := parseID(sid)
	return ts.index.find(id)
}
