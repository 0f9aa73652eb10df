package forward

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry/poll"
)

// tunnels passes WebSockets on: their handshake as a request, then bytes both
// ways. A tunnel costs two descriptors here, no goroutine and no buffer.
type tunnels struct {
	poller poll.Poller

	mu   sync.Mutex
	open map[*tunnel]struct{}
}

// handshakeTimeout bounds the owner's answer, and the writing of it.
const handshakeTimeout = 10 * time.Second

// maxRefusal bounds the body of an answer that is no WebSocket, bytes.
const maxRefusal = 64 << 10

// serve returns an error if nothing was answered.
func (t *tunnels) serve(w http.ResponseWriter, r *http.Request, to *peer) error {
	owner, err := to.dial(r.Context())
	if err != nil {
		return err
	}
	answers := bufio.NewReader(owner)
	res, err := ask(owner, answers, r, to)
	if err != nil {
		owner.Close()
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusSwitchingProtocols {
		defer owner.Close()
		return refuse(w, res)
	}
	client, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		owner.Close()
		return err
	}
	if err := answer(client, w.Header(), res, answers); err != nil {
		client.Close()
		owner.Close()
		return nil // the client is gone
	}
	sent, _ := rw.Reader.Peek(rw.Reader.Buffered())
	t.join(client, sent, owner)
	return nil
}

// ask sends the handshake to the owner and reads the answer.
func ask(owner net.Conn, answers *bufio.Reader, r *http.Request, to *peer) (*http.Response, error) {
	defer context.AfterFunc(r.Context(), func() { owner.Close() })()
	if err := owner.SetDeadline(time.Now().Add(handshakeTimeout)); err != nil {
		return nil, err
	}
	out := r.Clone(r.Context())
	out.Body, out.ContentLength, out.TransferEncoding = nil, 0, nil
	u := to.url
	u.RawQuery = r.URL.RawQuery
	out.URL = &u
	if _, named := out.Header["User-Agent"]; !named {
		out.Header["User-Agent"] = nil // do not give one
	}
	to.mark(out.Header, r.RemoteAddr)
	if err := out.Write(owner); err != nil {
		return nil, err
	}
	res, err := http.ReadResponse(answers, out)
	if err != nil {
		return nil, err
	}
	return res, owner.SetDeadline(time.Time{})
}

// refuse passes on an answer that is no WebSocket.
func refuse(w http.ResponseWriter, res *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(res.Body, maxRefusal))
	if err != nil {
		return err
	}
	for name, values := range res.Header {
		w.Header()[name] = values
	}
	w.Header().Set("Connection", "close")
	w.WriteHeader(res.StatusCode)
	_, _ = w.Write(body) // the client may be gone; there is nobody to tell
	return nil
}

// answer writes the owner's answer, and what came after it, to the client. own
// are the headers that were set here.
func answer(client net.Conn, own http.Header, res *http.Response, answers *bufio.Reader) error {
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 101 Switching Protocols\r\n")
	takeOver(own, res.Header)
	_ = own.Write(&b) // a bytes.Buffer takes everything
	_ = res.Header.Write(&b)
	b.WriteString("\r\n")
	first, _ := answers.Peek(answers.Buffered())
	b.Write(first)
	if err := client.SetDeadline(time.Now().Add(handshakeTimeout)); err != nil {
		return err
	}
	if _, err := client.Write(b.Bytes()); err != nil {
		return err
	}
	return client.SetDeadline(time.Time{})
}

// join lets bytes flow.
func (t *tunnels) join(client net.Conn, sent []byte, owner net.Conn) {
	pair := newTunnel(t)
	t.mu.Lock()
	t.open[pair] = struct{}{}
	t.mu.Unlock()
	if err := t.poller.Add(owner, nil, pair.owner.bind); err != nil {
		client.Close()
		t.remove(pair)
		return
	}
	if err := t.poller.Add(client, sent, pair.client.bind); err != nil {
		pair.owner.conn.Close(err)
		t.remove(pair)
		return
	}
	pair.start()
}

func (t *tunnels) remove(pair *tunnel) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.open, pair)
}

func (t *tunnels) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.open)
}

func (t *tunnels) all() []*tunnel {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]*tunnel, 0, len(t.open))
	for pair := range t.open {
		all = append(all, pair)
	}
	return all
}

// close ends all tunnels. None begins any more.
func (t *tunnels) close() {
	for _, pair := range t.all() {
		pair.close()
	}
}
