package engineio

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/seed-09a96375/belfry/websocket"
)

// TestTLS: WebSockets over TLS go another way below, and sessions know it.
func TestTLS(t *testing.T) {
	sessions := make(chan *Session, 1)
	srv, err := New(Options{}, func(s *Session) Receiver {
		sessions <- s
		return &echo{s: s}
	})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewTLSServer(srv)
	defer h.Close()
	defer func() {
		if err := srv.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	c, err := tls.Dial("tcp", h.Listener.Addr().String(), &tls.Config{RootCAs: h.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, ServerName: "example.com"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, upgradeRequest(ws4)); err != nil {
		t.Fatal(err)
	}
	w := &wsClient{t: t, c: c, r: bufio.NewReader(c)}
	readResponse(t, w.r)
	w.read()
	if s := receive(t, sessions, "a session"); !s.Handshake().Secure() {
		t.Error("not secure")
	}
	w.text("4hello")
	w.want(websocket.Text, "4hello")
	w.write(opClose, "")
	w.wantClose("")
}
