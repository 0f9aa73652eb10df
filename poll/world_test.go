package poll_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/poll"
)

// patience bounds every wait of the tests for something that must happen.
const patience = 20 * time.Second

// way is one kind of connection; the tests run over all.
type way struct {
	name     string
	network  string
	secure   bool
	portable bool
}

var ways = []way{
	{name: "tcp", network: "tcp"},
	{name: "unix", network: "unix"},
	{name: "tcp-portable", network: "tcp", portable: true},
	{name: "unix-portable", network: "unix", portable: true},
	{name: "tls", network: "tcp", secure: true},
}

// overAll runs f over every way.
func overAll(t *testing.T, o poll.Options, f func(t *testing.T, w *world)) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) { f(t, newWorld(t, way, o)) })
	}
}

// overPlain leaves TLS out, which has no half-closed connections.
func overPlain(t *testing.T, o poll.Options, f func(t *testing.T, w *world)) {
	for _, way := range ways {
		if !way.secure {
			t.Run(way.name, func(t *testing.T) { f(t, newWorld(t, way, o)) })
		}
	}
}

// world is a group, a listener, and the means to connect them.
type world struct {
	way
	t     testing.TB
	group *poll.Group
	ln    net.Listener
	conf  *tls.Config
}

func newWorld(t testing.TB, way way, o poll.Options) *world {
	t.Helper()
	o.Portable = way.portable
	group, err := poll.New(o)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{way: way, t: t, group: group}
	addr := "127.0.0.1:0"
	if way.network == "unix" {
		addr = filepath.Join(t.TempDir(), "socket")
	}
	if w.ln, err = net.Listen(way.network, addr); err != nil {
		t.Fatal(err)
	}
	if way.secure {
		w.conf = testConfig()
	}
	t.Cleanup(func() {
		_ = w.ln.Close()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := group.Close(ctx); err != nil {
			stacks := make([]byte, 1<<20)
			t.Errorf("%v\n%s", err, stacks[:runtime.Stack(stacks, true)])
		}
	})
	return w
}

// pair returns both ends of a new connection, the server's not yet added.
func (w *world) pair() (client, server net.Conn) {
	w.t.Helper()
	dialed := make(chan error, 1)
	go func() {
		var err error
		client, err = net.Dial(w.network, w.ln.Addr().String())
		dialed <- err
	}()
	server, err := w.ln.Accept()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := <-dialed; err != nil {
		w.t.Fatal(err)
	}
	if w.secure {
		client = tls.Client(client, w.conf)
		server = tls.Server(server, w.conf)
	}
	w.t.Cleanup(func() { _ = client.Close() })
	return client, server
}

// connect adds a connection with the given handler.
func (w *world) connect(h *handler) net.Conn {
	w.t.Helper()
	client, server := w.pair()
	w.add(server, nil, h)
	return client
}

func (w *world) add(server net.Conn, read []byte, h *handler) {
	w.t.Helper()
	if err := w.group.Add(server, read, h.bind); err != nil {
		w.t.Fatal(err)
	}
}

// handler is a poll.Handler made of functions.
type handler struct {
	conn   poll.Conn
	onBind func(c poll.Conn)
	onData func(c poll.Conn, p []byte) error
	closed chan error // gets what Closed got

	mu   sync.Mutex // tells if calls overlap
	over bool
}

func newHandler(onData func(c poll.Conn, p []byte) error) *handler {
	return &handler{onData: onData, closed: make(chan error, 2)}
}

func (h *handler) bind(c poll.Conn) poll.Handler {
	h.conn = c
	if h.onBind != nil {
		h.onBind(c)
	}
	return h
}

func (h *handler) Data(p []byte) error {
	h.enter("Data")
	defer h.mu.Unlock()
	if h.onData == nil {
		return nil
	}
	return h.onData(h.conn, p)
}

func (h *handler) Closed(err error) {
	h.enter("Closed")
	defer h.mu.Unlock()
	h.over = true
	h.closed <- err
}

// enter panics where the contract of Handler is broken: the group reports it
// and the test sees a wrong reason.
func (h *handler) enter(method string) {
	if !h.mu.TryLock() {
		panic(method + " overlaps another call")
	}
	if h.over {
		h.mu.Unlock()
		panic(method + " after Closed")
	}
}

// reason waits for Closed.
func (h *handler) reason(t testing.TB) error {
	t.Helper()
	select {
	case err := <-h.closed:
		return err
	case <-time.After(patience):
		t.Fatal("Closed was not called")
		return nil
	}
}

// eventually waits until cond holds.
func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatal("not in time: " + what)
		}
	}
}

// testConfig serves both sides.
var testConfig = sync.OnceValue(func() *tls.Config {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotAfter:     time.Now().Add(time.Hour),
		DNSNames:     []string{"localhost"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		RootCAs:      roots,
		ServerName:   "localhost",
	}
})
