package forward

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/engineio"
)

// TestRemoteAddress: what the owner sees of a client is the client's own address,
// whatever node it has come to, and nobody can claim another.
func TestRemoteAddress(t *testing.T) {
	seen := make(chan *http.Request, 1)
	nodes := cluster(t, 2, func(o *engineio.Options) {
		o.Headers = func(_ http.Header, r *http.Request, initial bool) {
			if !initial {
				seen <- r
			}
		}
	})
	p, _ := open(t, nodes[0])
	for _, c := range []struct {
		to     *node
		header string
		status int
	}{
		{nodes[0], "X: y", http.StatusOK},
		{nodes[1], "X: y", http.StatusOK},
		{nodes[0], markHeader + ": 192.0.2.1:80", http.StatusOK},
		{nodes[0], markHeader + ": x 192.0.2.1:80", http.StatusOK},
		{nodes[0], markHeader + ": " + nodes[1].forward.secret + " 192.0.2.1:80", http.StatusOK},
		// Who sends a mark is not passed on.
		{nodes[1], markHeader + ": x 192.0.2.1:80", http.StatusBadRequest},
	} {
		conn, err := net.Dial("tcp", c.to.web.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := fmt.Fprintf(conn, "POST /engine.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n%s\r\n\r\n4x", p.sid, c.header); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != c.status {
			t.Errorf("%s to %s: %s", c.header, c.to.id, res.Status)
		}
		if res.StatusCode != http.StatusOK {
			continue
		}
		r := receive(t, seen, "the request")
		if r.RemoteAddr != conn.LocalAddr().String() || r.Header[markHeader] != nil {
			t.Errorf("%s to %s: the owner sees %s, want %s; %v", c.header, c.to.id, r.RemoteAddr, conn.LocalAddr(), r.Header)
		}
	}
}

func TestReceive(t *testing.T) {
	f := &Forwarder{secret: "secret"}
	for _, c := range []struct {
		marks     []string
		forwarded bool
		addr      string
	}{
		{nil, false, "192.0.2.1:1"},
		{[]string{"secret 198.51.100.7:9"}, true, "198.51.100.7:9"},
		{[]string{"Secret 198.51.100.7:9"}, true, "192.0.2.1:1"},
		{[]string{" 198.51.100.7:9"}, true, "192.0.2.1:1"},
		{[]string{"secret"}, true, "192.0.2.1:1"},
		{[]string{""}, true, "192.0.2.1:1"},
		{[]string{"secret 198.51.100.7:9", "secret 198.51.100.8:9"}, true, "192.0.2.1:1"},
	} {
		in := httptest.NewRequest(http.MethodGet, "/", nil)
		in.RemoteAddr = "192.0.2.1:1"
		if c.marks != nil {
			in.Header[markHeader] = c.marks
		}
		r := f.Receive(in)
		if isForwarded(r) != c.forwarded || r.RemoteAddr != c.addr || r.Header[markHeader] != nil {
			t.Errorf("%q: forwarded %v, address %s, header %v", c.marks, isForwarded(r), r.RemoteAddr, r.Header)
		}
	}
}

// TestOneHop: a node whose address leads to another one, or to a balancer in front
// of all, makes no circles.
func TestOneHop(t *testing.T) {
	nodes := cluster(t, 2, nil)
	p, _ := open(t, nodes[0])
	b := nodes[0].pages()
	b.set("node-0", b.urls["node-1"])
	p.wantUnknown(nodes[1])
	p.wantPost(nodes[0], "4the session is still there")
}

// TestAddressesOfOthers: what is no address is no node.
func TestAddressesOfOthers(t *testing.T) {
	nodes := cluster(t, 2, nil)
	p, _ := open(t, nodes[0])
	b := nodes[0].pages()
	right := b.urls["node-0"]
	for _, text := range []string{"", "x", "ftp://127.0.0.1/#a", "http://", "http://a b/", "http://u:p@127.0.0.1/#a", "http://127.0.0.1/?x=y#a"} {
		b.set("node-0", text)
		nodes[1].forward.peers.failed(&peer{node: "node-0"}, nil) // look anew
		p.wantUnknown(nodes[1])
	}
	b.set("node-0", strings.Split(right, "#")[0]) // another version, without a secret
	p.wantPost(nodes[1], "4x")
}

func TestParseURL(t *testing.T) {
	for text, ok := range map[string]bool{
		"http://10.0.0.3:8080/socket.io/": true, "https://node-3.example": true, "http://[::1]:80/": true,
		"": false, "10.0.0.3:8080": false, "//10.0.0.3/": false, "http:///x": false, "http://a/#x": false,
		"http://a/?b": false, "http://u@a/": false, "unix:///x": false, "http://a b": false,
	} {
		if _, err := ParseURL(text); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestTag(t *testing.T) {
	if a, b := Tag("a"), Tag("b"); a == b || a != Tag("a") {
		t.Errorf("tags %x and %x", a, b)
	}
}

// FuzzParsePeer: what is taken for an address is one, and keeps its secret.
func FuzzParsePeer(f *testing.F) {
	for _, text := range []string{"http://10.0.0.3:8080/socket.io/#0123", "https://[::1]#", "x", "http://u@a/", "http://a/%2f#%20 "} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		to, err := parsePeer("n", text)
		if err != nil {
			return
		}
		if to.url.Scheme != "http" && to.url.Scheme != "https" || to.url.Host == "" || to.url.Fragment != "" || to.url.User != nil {
			t.Errorf("%q is %+v", text, to.url)
		}
		again := to.url
		again.Fragment = to.secret
		if back, err := parsePeer(belfry.NodeID("n"), again.String()); err != nil || back.secret != to.secret || back.url.String() != to.url.String() {
			t.Errorf("%q comes back as %+v, %v; want %+v", text, back, err, to)
		}
	})
}
