package lab

import (
	"bufio"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// listen accepts connections and hands them over.
func listen(t *testing.T) (addr string, accepted chan net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted = make(chan net.Conn)
	go func() {
		defer close(accepted)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	t.Cleanup(func() {
		l.Close()
		for c := range accepted {
			c.Close()
		}
	})
	return l.Addr().String(), accepted
}

// conn is both ends of a connection through a proxy.
type conn struct {
	t              *testing.T
	client, server net.Conn
	lines          *bufio.Reader
}

func through(t *testing.T, p *Proxy, accepted chan net.Conn) *conn {
	t.Helper()
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	both := &conn{t: t, client: c, server: <-accepted, lines: bufio.NewReader(c)}
	t.Cleanup(both.close)
	return both
}

func (c *conn) close() { c.client.Close(); c.server.Close() }

// say lets the server write.
func (c *conn) say(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c.server, text); err != nil {
		c.t.Fatal(err)
	}
}

// expect reads a line at the client.
func (c *conn) expect(line string) {
	c.t.Helper()
	if got, err := c.lines.ReadString('\n'); err != nil || got != line {
		c.t.Fatalf("read %q, %v, want %q", got, err, line)
	}
}

// subscribe says what Redis says to a subscriber, in two pieces.
func (c *conn) subscribe(words ...string) {
	c.t.Helper()
	for _, w := range words {
		c.say(w)
	}
	c.expect(">3\r\n")
	c.expect("$9\r\n")
	c.expect("subscribe\r\n")
}

func testProxy(t *testing.T) (*Proxy, chan net.Conn) {
	t.Helper()
	addr, accepted := listen(t)
	p, err := newProxy(t.Name(), addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Cut)
	return p, accepted
}

func TestDeafen(t *testing.T) {
	p, accepted := testProxy(t)
	subscriber, commands := through(t, p, accepted), through(t, p, accepted)
	subscriber.subscribe(">3\r\n$9\r\nsubscribe\r\n")
	subscriber.say("one\n")
	subscriber.expect("one\n")
	p.Deafen()
	commands.say("+OK\n")
	commands.expect("+OK\n")
	later := through(t, p, accepted)
	later.subscribe(">3\r\n$9\r\nsub", "scribe\r\n")
	later.say("two\n")
	later.expect("two\n")
	// The end comes through, what was said before it does not.
	subscriber.say("two\n")
	subscriber.server.Close()
	if got, err := io.ReadAll(subscriber.lines); err != nil || len(got) > 0 {
		t.Errorf("the deaf subscriber heard %q, %v", got, err)
	}
	// What subscribed later goes deaf the next time.
	p.Deafen()
	later.say("three\n")
	later.server.Close()
	if got, err := io.ReadAll(later.lines); err != nil || len(got) > 0 {
		t.Errorf("the second deaf subscriber heard %q, %v", got, err)
	}
}

func TestCutAndMend(t *testing.T) {
	p, accepted := testProxy(t)
	c := through(t, p, accepted)
	p.Cut()
	if _, err := c.client.Read(make([]byte, 1)); err == nil || isTimeout(err) {
		t.Errorf("read over a connection that was cut: %v", err)
	}
	if d, err := net.Dial("tcp", p.Addr()); err == nil {
		d.Close()
		t.Error("a connection was let in while the proxy was cut")
	}
	if err := p.Mend(); err != nil {
		t.Fatal(err)
	}
	c = through(t, p, accepted)
	c.say("back\n")
	c.expect("back\n")
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

func TestPortsAreFree(t *testing.T) {
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", address(port))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if port < lowestPort || port >= lowestPort+ports {
		t.Errorf("port %d is not in the range", port)
	}
}
