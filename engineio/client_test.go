package engineio

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/websocket"
)

// response is an HTTP response with its body read.
type response struct {
	*http.Response
	body string
}

// dial opens a connection that the test closes at its end.
func dial(t testing.TB, addr string) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(2 * patience)); err != nil {
		t.Fatal(err)
	}
	return c, bufio.NewReader(c)
}

// raw sends bytes over a new connection and reads one response.
func raw(t testing.TB, addr, request string) response {
	t.Helper()
	c, r := dial(t, addr)
	defer c.Close()
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	return readResponse(t, r)
}

func readResponse(t testing.TB, r *bufio.Reader) response {
	t.Helper()
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatalf("read response: %v", err)
	}
	if res.StatusCode == http.StatusSwitchingProtocols {
		return response{res, ""}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("read body: %v", err)
	}
	return response{res, string(body)}
}

// get and post build requests. Headers are lines without line ends.
func get(query string, headers ...string) string { return plain("GET", query, "", headers...) }

func post(query, body string, headers ...string) string {
	return plain("POST", query, body, append(headers, fmt.Sprintf("Content-Length: %d", len(body)))...)
}

func plain(method, query, body string, headers ...string) string {
	lines := append([]string{method + " /engine.io/?" + query + " HTTP/1.1", "Host: example.com"}, headers...)
	return strings.Join(lines, "\r\n") + "\r\n\r\n" + body
}

func upgradeRequest(query string, headers ...string) string {
	return plain("GET", query, "", append([]string{
		"Connection: Upgrade", "Upgrade: websocket",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
	}, headers...)...)
}

// pollClient is a client that polls.
type pollClient struct {
	t    testing.TB
	addr string
	eio  int
	sid  string
}

// open makes a session over polling.
func (ts *testServer) poll(eio int) *pollClient {
	ts.t.Helper()
	p := &pollClient{t: ts.t, addr: ts.addr, eio: eio}
	res := raw(ts.t, ts.addr, get(fmt.Sprintf("EIO=%d&transport=polling", eio)))
	if res.StatusCode != http.StatusOK {
		ts.t.Fatalf("handshake: %s %s", res.Status, res.body)
	}
	body := res.body
	if eio == 3 {
		_, body, _ = strings.Cut(body, ":")
	}
	p.sid = openSID(ts.t, body)
	return p
}

// openSID checks an open packet and returns its session id.
func openSID(t testing.TB, open string) string {
	t.Helper()
	var data struct{ SID string }
	if open == "" || open[0] != '0' || json.Unmarshal([]byte(open[1:]), &data) != nil || len(data.SID) != idLength {
		t.Fatalf("open packet is %q", open)
	}
	return data.SID
}

func (p *pollClient) query() string {
	return fmt.Sprintf("EIO=%d&transport=polling&sid=%s", p.eio, p.sid)
}

func (p *pollClient) get(headers ...string) response {
	p.t.Helper()
	return raw(p.t, p.addr, get(p.query(), headers...))
}

func (p *pollClient) post(body string, headers ...string) response {
	p.t.Helper()
	return raw(p.t, p.addr, post(p.query(), body, headers...))
}

// wantGet checks the next GET's answer.
func (p *pollClient) wantGet(body string) {
	p.t.Helper()
	if res := p.get(); res.StatusCode != http.StatusOK || res.body != body {
		p.t.Errorf("GET: %s %q, want %q", res.Status, res.body, body)
	}
}

func (p *pollClient) wantOK(body string) {
	p.t.Helper()
	if res := p.post(body); res.StatusCode != http.StatusOK || res.body != "ok" {
		p.t.Errorf("POST: %s %q", res.Status, res.body)
	}
}

// wantGone checks that the session is unknown.
func (p *pollClient) wantGone() {
	p.t.Helper()
	if res := p.get(); res.StatusCode != http.StatusBadRequest || res.body != `{"code":1,"message":"Session ID unknown"}` {
		p.t.Errorf("GET after the end: %s %q", res.Status, res.body)
	}
}

// pending starts a GET and returns once the server has it waiting.
func (p *pollClient) pending(s *Session) <-chan response {
	p.t.Helper()
	c, r := dial(p.t, p.addr)
	if _, err := io.WriteString(c, get(p.query())); err != nil {
		p.t.Fatal(err)
	}
	eventually(p.t, "GET is pending", s.Writable)
	answer := make(chan response, 1)
	go func() {
		defer c.Close()
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			return
		}
		body, _ := io.ReadAll(res.Body)
		answer <- response{res, string(body)}
	}()
	return answer
}

// wsClient is a WebSocket client that sends and reads single frames.
type wsClient struct {
	t   testing.TB
	c   net.Conn
	r   *bufio.Reader
	res response
}

// upgrade opens a WebSocket with the given query.
func (ts *testServer) upgrade(query string, headers ...string) *wsClient {
	ts.t.Helper()
	c, r := dial(ts.t, ts.addr)
	if _, err := io.WriteString(c, upgradeRequest(query, headers...)); err != nil {
		ts.t.Fatal(err)
	}
	res := readResponse(ts.t, r)
	if res.StatusCode != http.StatusSwitchingProtocols {
		ts.t.Fatalf("upgrade: %s %s", res.Status, res.body)
	}
	return &wsClient{t: ts.t, c: c, r: r, res: res}
}

// ws makes a session over WebSocket and returns its id.
func (ts *testServer) ws(eio int) (*wsClient, string) {
	ts.t.Helper()
	w := ts.upgrade(fmt.Sprintf("EIO=%d&transport=websocket", eio))
	_, open := w.read()
	return w, openSID(ts.t, open)
}

// Opcodes that websocket does not export.
const opClose websocket.Opcode = 8

// frameBytes masks with a zero key: the payload stays as it is.
func frameBytes(op websocket.Opcode, payload string) []byte {
	f := websocket.AppendHeader(nil, op, true, false, len(payload))
	f[1] |= 0x80
	f = append(f, 0, 0, 0, 0)
	return append(f, payload...)
}

func (w *wsClient) write(op websocket.Opcode, payload string) {
	w.t.Helper()
	if _, err := w.c.Write(frameBytes(op, payload)); err != nil {
		w.t.Fatalf("write frame: %v", err)
	}
}

func (w *wsClient) text(s string) { w.t.Helper(); w.write(websocket.Text, s) }

// next reads one frame; err at the end of the stream.
func (w *wsClient) next() (websocket.Opcode, string, error) {
	var head [2]byte
	if _, err := io.ReadFull(w.r, head[:]); err != nil {
		return 0, "", err
	}
	n := int(head[1])
	extra := map[int]int{126: 2, 127: 8}[n]
	if extra > 0 {
		n = 0
	}
	for range extra {
		b, err := w.r.ReadByte()
		if err != nil {
			return 0, "", err
		}
		n = n<<8 | int(b)
	}
	payload := make([]byte, n)
	_, err := io.ReadFull(w.r, payload)
	return websocket.Opcode(head[0] & 0xF), string(payload), err
}

func (w *wsClient) read() (websocket.Opcode, string) {
	w.t.Helper()
	op, payload, err := w.next()
	if err != nil {
		w.t.Fatalf("read frame: %v", err)
	}
	return op, payload
}

func (w *wsClient) want(op websocket.Opcode, payload string) {
	w.t.Helper()
	if o, p := w.read(); o != op || p != payload {
		w.t.Fatalf("frame %d %q, want %d %q", o, p, op, payload)
	}
}

// wantClose reads up to the server's close frame, which must have this payload,
// and answers it.
func (w *wsClient) wantClose(payload string) {
	w.t.Helper()
	w.want(opClose, payload)
	w.write(opClose, payload)
	w.wantEOF()
}

// wantEOF checks that the server has ended the stream, and ends it, too.
func (w *wsClient) wantEOF() {
	w.t.Helper()
	defer w.c.Close()
	if op, p, err := w.next(); err == nil {
		w.t.Fatalf("frame %d %q after the end", op, p)
	}
}
