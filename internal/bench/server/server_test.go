package server_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/seed-09a96375/belfry/internal/bench/server"
	"github.com/seed-09a96375/belfry/internal/cluster"
)

const patience = 30 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var nodeLine = regexp.MustCompile(`^node-\d listens on (http://\S+), up to \d+ descriptors$`)

// start runs the server on free ports until the test ends.
func start(t *testing.T, o server.Options) (urls []string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	over := make(chan error, 1)
	o.Listen, o.Out = "127.0.0.1:0", w
	go func() { over <- errors.Join(server.Run(ctx, o), w.Close()) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-over:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(patience):
			t.Error("Run does not return")
		}
	})
	lines := bufio.NewScanner(r)
	for len(urls) < max(o.Nodes, 1) && lines.Scan() {
		m := nodeLine.FindStringSubmatch(lines.Text())
		if m == nil {
			t.Fatalf("printed %q", lines.Text())
		}
		urls = append(urls, m[1])
	}
	return urls
}

// client is a raw Socket.IO client.
type client struct {
	t  *testing.T
	ws *websocket.Conn
}

func connect(t *testing.T, url string) *client {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, url+"/socket.io/?EIO=4&transport=websocket", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.CloseNow() })
	c := &client{t, ws}
	c.read()
	c.write("40")
	if hello := c.read(); !strings.HasPrefix(hello, "40{") {
		t.Fatalf("CONNECT is answered with %q", hello)
	}
	return c
}

func (c *client) write(p string) {
	c.t.Helper()
	if err := c.ws.Write(c.t.Context(), websocket.MessageText, []byte(p)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) read() string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	_, p, err := c.ws.Read(ctx)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(p)
}

func (c *client) want(p string) {
	c.t.Helper()
	if got := c.read(); got != p {
		c.t.Errorf("got %q, want %q", got, p)
	}
}

// odd is a payload whose bytes change if it is decoded and encoded again.
const odd = `"\u00e9<&> 1e400"`

func TestContract(t *testing.T) {
	nodes := start(t, server.Options{Nodes: 2})
	in, far, out := connect(t, nodes[0]), connect(t, nodes[1]), connect(t, nodes[1])
	for _, c := range []*client{in, far} {
		c.write(`421["join","room"]`)
		c.want(`431[]`)
	}
	out.write(`42["say","room",` + odd + `]`)
	for _, c := range []*client{in, far} {
		c.want(`42["msg",` + odd + `]`)
	}
	for _, c := range []*client{in, far, out} { // whoever is not in the room got nothing before
		c.write(`427["echo",` + odd + `]`)
		c.want(`437[` + odd + `]`)
	}
}

func TestOneNodeByDefault(t *testing.T) {
	if nodes := start(t, server.Options{}); len(nodes) != 1 {
		t.Errorf("nodes are %v, want one", nodes)
	}
}

func TestPortTaken(t *testing.T) {
	nodes := start(t, server.Options{})
	err := server.Run(t.Context(), server.Options{Listen: strings.TrimPrefix(nodes[0], "http://")})
	var listen *cluster.ListenError
	if !errors.As(err, &listen) || !strings.Contains(err.Error(), "is taken") {
		t.Errorf("error is %v, want that the port is taken", err)
	}
}
