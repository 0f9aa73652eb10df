package forward

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/engineio"
)

// TestPolling: a client that polls is served whatever node it comes to, and gets
// every message once and in order.
func TestPolling(t *testing.T) {
	nodes := cluster(t, 3, nil)
	p, s := open(t, nodes[0])
	for i := range 60 {
		text := fmt.Sprintf("4message %d", i)
		p.wantPost(nodes[i%3], text)
		p.wantGet(nodes[(i+1)%3], text)
	}
	waiting := p.pending(nodes[2], s)
	p.wantPost(nodes[1], "4last")
	if a := receive(t, waiting, "the answer"); a.err != nil || a.body != "4last" {
		t.Errorf("the GET that waited: %q %v", a.body, a.err)
	}
	p.wantPost(nodes[1], "1")
	p.wantUnknown(nodes[2])
	if r := receive(t, s.closed, "the end"); r != engineio.ReasonTransportClose {
		t.Errorf("closed with %q", r)
	}
}

func TestLargePayloads(t *testing.T) {
	nodes := cluster(t, 2, nil)
	p, _ := open(t, nodes[0])
	big := "4" + strings.Repeat("x", 900_000)
	p.wantPost(nodes[1], big)
	p.wantGet(nodes[1], big)
	if res, _ := p.do(nodes[1], http.MethodPost, strings.Repeat("x", 1_100_000)); res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("more than MaxPayload: %s", res.Status)
	}
	p.wantPost(nodes[1], "4still here")
	p.wantGet(nodes[0], "4still here")
}

// TestClientIsGone: the end of a client that waits on another node ends its
// session at once, as it would on its own.
func TestClientIsGone(t *testing.T) {
	nodes := cluster(t, 2, nil)
	p, s := open(t, nodes[0])
	c, err := net.Dial("tcp", nodes[1].web.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(c, "GET /engine.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\n\r\n", p.sid); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a GET waits", s.Writable)
	c.Close()
	if r := receive(t, s.closed, "the end"); r != engineio.ReasonTransportError {
		t.Errorf("closed with %q", r)
	}
}

// TestUnknownSessions: nobody has them, or nobody who is told of.
func TestUnknownSessions(t *testing.T) {
	nodes := cluster(t, 2, nil)
	for _, sid := range []string{"x", strings.Repeat("A", 20), strings.Repeat("A", 2000)} {
		(&poller{t: t, http: http.DefaultClient, sid: sid}).wantUnknown(nodes[0])
	}
	p, _ := open(t, nodes[0])
	p.sid = p.sid[:4] + strings.Repeat("A", 16) // the tag of a node that has no such session
	p.wantUnknown(nodes[0])
	p.wantUnknown(nodes[1])
	http.DefaultClient.CloseIdleConnections()
}

// TestOwnerIsGone: the client begins anew, quickly.
func TestOwnerIsGone(t *testing.T) {
	nodes := cluster(t, 2, nil)
	p, s := open(t, nodes[0])
	p.wantPost(nodes[1], "4a") // node 1 knows where node 0 is
	p.wantGet(nodes[1], "4a")
	waiting := p.pending(nodes[1], s)
	nodes[0].web.Listener.Close()
	nodes[0].web.CloseClientConnections()
	a := receive(t, waiting, "the answer")
	if a.err != nil || a.res.StatusCode != http.StatusBadRequest || a.body != unknown {
		t.Errorf("the GET that waited: %v %q %v", a.res, a.body, a.err)
	}
	p.wantUnknown(nodes[1])
}

// TestHeaders: what two nodes add to an answer is in it once, and what the owner
// sees is what the client has sent.
func TestHeaders(t *testing.T) {
	seen := make(chan *http.Request, 10)
	nodes := cluster(t, 2, func(o *engineio.Options) {
		o.CORS = &engineio.CORS{Origins: []string{"https://a.example"}, Credentials: true}
		o.HTTPCompression = 10
		o.Headers = func(h http.Header, r *http.Request, initial bool) {
			h.Add("Of-Application", "yes")
			if !initial {
				seen <- r
			}
		}
	})
	p, _ := open(t, nodes[0])
	for i, n := range nodes {
		p.wantPost(n, "4"+strings.Repeat("x", 100))
		<-seen
		res, _ := p.do(n, http.MethodGet, "", "Origin: https://a.example", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https",
			"Forwarded: for=192.0.2.1", "Accept-Encoding: gzip", "Cookie: a=b", "User-Agent: a client", "Host: elsewhere.example")
		for name, want := range map[string]string{
			"Access-Control-Allow-Origin": "https://a.example", "Vary": "Origin", "Of-Application": "yes", "Cache-Control": "no-store",
			"Access-Control-Allow-Credentials": "true", "Content-Encoding": "gzip", "Content-Type": "text/plain; charset=UTF-8",
		} {
			if got := res.Header[name]; len(got) != 1 || got[0] != want {
				t.Errorf("node %d: header %s is %q, want %q", i, name, got, want)
			}
		}
		r := <-seen
		for name, want := range map[string]string{
			"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https", "Forwarded": "for=192.0.2.1", "X-Forwarded-Host": "",
			"Cookie": "a=b", "User-Agent": "a client", markHeader: "",
		} {
			if got := strings.Join(r.Header[name], "|"); got != want {
				t.Errorf("node %d: the owner sees %s: %q, want %q", i, name, got, want)
			}
		}
	}
}

func TestQueryStaysAsItIs(t *testing.T) {
	seen := make(chan string, 1)
	nodes := cluster(t, 2, func(o *engineio.Options) {
		o.Headers = func(_ http.Header, r *http.Request, initial bool) {
			if !initial {
				seen <- r.URL.RawQuery
			}
		}
	})
	p, _ := open(t, nodes[0])
	query := "x=%zz&a;b&EIO=4&transport=polling&t=1&sid=" + p.sid
	res, err := p.http.Post(nodes[1].web.URL+"/engine.io/some/where?"+query, "text/plain", strings.NewReader("4x"))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if got := receive(t, seen, "the request"); got != query {
		t.Errorf("query %q, want %q", got, query)
	}
}

// TestAnswersAreFetchedOnce: a GET whose answer is lost with its connection is
// not sent again: there may have been messages in it. http.Transport alone would
// send it again.
func TestAnswersAreFetchedOnce(t *testing.T) {
	for name, c := range map[string]struct {
		transport func(p *polling) http.RoundTripper
		requests  int32
	}{
		"as it is":         {func(p *polling) http.RoundTripper { return once{p.transport} }, 2},
		"negative control": {func(p *polling) http.RoundTripper { return p.transport }, 3},
	} {
		t.Run(name, func(t *testing.T) {
			addr, requests := forgetful(t)
			p := newPolling(nil)
			defer p.close()
			client := http.Client{Transport: c.transport(&p), Timeout: patience}
			res, err := client.Get("http://" + addr)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, res.Body)
			res.Body.Close()
			if res, err := client.Get("http://" + addr); err == nil {
				res.Body.Close()
			}
			if got := requests.Load(); got != c.requests {
				t.Errorf("%d requests, want %d", got, c.requests)
			}
		})
	}
}

// forgetful is a server that answers the first request of a connection, and
// resets it at the second.
func forgetful(t *testing.T) (addr string, requests *atomic.Int32) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	requests = new(atomic.Int32)
	over := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-over })
	go func() {
		defer close(over)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.SetDeadline(time.Now().Add(patience))
			r := bufio.NewReader(c)
			for i := range 2 {
				req, err := http.ReadRequest(r)
				if err != nil {
					break
				}
				requests.Add(1)
				if req.ContentLength != 0 || len(req.TransferEncoding) > 0 {
					t.Errorf("a GET with a body: %v", req.Header)
				}
				if i == 0 {
					_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
				}
			}
			_ = c.(*net.TCPConn).SetLinger(0)
			c.Close()
		}
	}()
	return l.Addr().String(), requests
}
