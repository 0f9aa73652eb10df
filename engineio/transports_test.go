package engineio

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/engineio/packet"
)

func TestEcho(t *testing.T) {
	overTransports(t, func(t *testing.T, p *peer, s *testSession) {
		for _, m := range []string{"hello", "é€😀", "", strings.Repeat("x", 200_000)} {
			p.send(m)
			if got := s.message(t); got != m {
				t.Fatalf("message of %d bytes, want %d", len(got), len(m))
			}
			if err := s.Send(text(m), SendOptions{}); err != nil {
				t.Fatal(err)
			}
			p.want(m)
		}
		p.sendBinary("\x00\xff\x1e")
		if got := s.message(t); got != "bin:\x00\xff\x1e" {
			t.Errorf("message %q", got)
		}
		if err := errors.Join(
			s.Send(textWith("with", "\x01\x02", "\x03"), SendOptions{}),
			s.Send(binary("\x1e"), SendOptions{}),
		); err != nil {
			t.Error(err)
		}
		p.want("with", "bin:\x01\x02", "bin:\x03", "bin:\x1e")
	})
}

func TestManyMessagesInOrder(t *testing.T) {
	overTransports(t, func(t *testing.T, p *peer, s *testSession) {
		const n = 500
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			for i := range n {
				if err := s.Send(text(fmt.Sprint("down ", i)), SendOptions{}); err != nil {
					t.Errorf("send %d: %v", i, err)
				}
			}
		}()
		for i := range n / 5 {
			p.send(fmt.Sprint("up ", i))
		}
		for i := range n {
			p.want(fmt.Sprint("down ", i))
		}
		for i := range n / 5 {
			if got := s.message(t); got != fmt.Sprint("up ", i) {
				t.Fatalf("message %q, want %d", got, i)
			}
		}
		receive(t, sent, "the sender's end")
	})
}

func TestServerClosesSession(t *testing.T) {
	overTransports(t, func(t *testing.T, p *peer, s *testSession) {
		for i := range 10 {
			if err := s.Send(text(fmt.Sprint(i)), SendOptions{}); err != nil {
				t.Error(err)
			}
		}
		s.Close()
		s.wantClosed(t, ReasonForcedClose)
		for i := range 10 {
			p.want(fmt.Sprint(i))
		}
		if err := receive(t, p.gone, "the transport's end"); err != nil {
			t.Errorf("the transport ended with %v", err)
		}
	})
}

func TestClientClosesSession(t *testing.T) {
	overTransports(t, func(t *testing.T, p *peer, s *testSession) {
		p.send("last")
		if err := p.link.send(packet.Packet{Type: packet.Close}); err != nil {
			t.Error(err)
		}
		if got := s.message(t); got != "last" {
			t.Errorf("message %q", got)
		}
		s.wantClosed(t, ReasonTransportClose)
	})
}

func TestMessageWithinMessage(t *testing.T) {
	overTransports(t, func(t *testing.T, p *peer, s *testSession) {
		s.mu.Lock()
		s.onMessage = func(data []byte, _ bool) error {
			if string(data) == "close" {
				s.Close()
			}
			return s.Send(text("re: "+string(data)), SendOptions{})
		}
		s.mu.Unlock()
		p.send("a")
		p.want("re: a")
		p.send("close")
		s.wantClosed(t, ReasonForcedClose)
	})
}

// TestPauseStopsReading: while the session is paused, a client that goes on
// sending is held up.
func TestPauseStopsReading(t *testing.T) {
	overTransports(t, func(t *testing.T, p *peer, s *testSession) {
		s.Pause()
		const n, size = 30, 100_000 // more than the buffers between the two take
		if l, ok := p.link.(*wsLink); ok {
			if err := l.c.(*net.TCPConn).SetWriteBuffer(64 << 10); err != nil {
				t.Fatal(err)
			}
		}
		big := strings.Repeat("x", size)
		sent := make(chan int, n)
		go func() {
			defer close(sent)
			for i := range n {
				if err := p.link.send(packet.Packet{Type: packet.Message, Data: []byte(big)}); err != nil {
					return
				}
				sent <- i
			}
		}()
		later := time.NewTimer(200 * time.Millisecond)
		<-later.C
		if len(sent) == n {
			t.Error("everything was sent while the session was paused")
		}
		s.Resume()
		for range n {
			s.message(t)
		}
	})
}
