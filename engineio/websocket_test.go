package engineio

import (
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/seed-09a96375/belfry/poll"
	"github.com/seed-09a96375/belfry/websocket"
)

func TestWebSocketOpen(t *testing.T) {
	ts := serve(t, Options{Cookie: &Cookie{}}, nil)
	w := ts.upgrade(ws4)
	if got := w.res.Header.Get("Sec-WebSocket-Accept"); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Errorf("accept %q", got)
	}
	if w.res.Header.Get("Set-Cookie") != "" {
		t.Error("a cookie on a WebSocket handshake")
	}
	_, open := w.read()
	if got := sidPattern.ReplaceAllString(open, "SID"); got != strings.Replace(openBody, `"websocket"`, "", 1) {
		t.Errorf("open %s", got)
	}
	s := ts.next()
	if s.Transport() != WebSocket || s.Protocol() != 4 || s.ID() != openSID(t, open) {
		t.Errorf("%v, protocol %d, %s", s.Transport(), s.Protocol(), s.ID())
	}
}

func TestWebSocketPackets(t *testing.T) {
	ts := serve(t, Options{}, nil)
	w, _ := ts.ws(4)
	s := ts.next()
	w.text("4hello")
	w.text("4")
	w.text("bAQID")
	w.write(websocket.Binary, "\x04\x05")
	for _, ignored := range []string{"0", "5", "6", "3", "3probe"} {
		w.text(ignored)
	}
	w.text("4é€😀")
	for _, want := range []string{"hello", "", "bin:\x01\x02\x03", "bin:\x04\x05", "é€😀"} {
		if got := s.message(t); got != want {
			t.Errorf("message %q, want %q", got, want)
		}
	}
	for _, m := range []*Message{text("a"), textWith("b", "\x01\x02\x03", ""), binary("\xff"), text(strings.Repeat("x", 70_000))} {
		if err := s.Send(m, SendOptions{}); err != nil {
			t.Error(err)
		}
	}
	w.want(websocket.Text, "4a")
	w.want(websocket.Text, "4b")
	w.want(websocket.Binary, "\x01\x02\x03")
	w.want(websocket.Binary, "")
	w.want(websocket.Binary, "\xff")
	w.want(websocket.Text, "4"+strings.Repeat("x", 70_000))
}

func TestWebSocketViolations(t *testing.T) {
	for _, c := range []struct {
		name, frame string
		reason      Reason
	}{
		{"unknown packet", "abc", ReasonParseError},
		{"empty frame", "", ReasonParseError},
		{"ping", "2", ReasonTransportError},
		{"close", "1", ReasonTransportClose},
	} {
		t.Run(c.name, func(t *testing.T) {
			ts := serve(t, Options{}, nil)
			w, sid := ts.ws(4)
			s := ts.next()
			w.text(c.frame)
			s.wantClosed(t, c.reason)
			w.wantClose("")
			(&pollClient{t, ts.addr, 4, sid}).wantGone()
		})
	}
}

func TestWebSocketTooLarge(t *testing.T) {
	ts := serve(t, Options{MaxPayload: 1000}, nil)
	w, _ := ts.ws(4)
	s := ts.next()
	w.text("4" + strings.Repeat("x", 999))
	s.message(t)
	w.text("4" + strings.Repeat("x", 1000))
	w.wantClose("\x03\xf1") // 1009 without a reason
	s.wantClosed(t, ReasonTransportError)
}

func TestWebSocketEnds(t *testing.T) {
	t.Run("client closes", func(t *testing.T) {
		ts := serve(t, Options{}, nil)
		w, _ := ts.ws(4)
		s := ts.next()
		w.write(opClose, "")
		w.wantClose("")
		s.wantClosed(t, ReasonTransportClose)
	})
	t.Run("client is gone", func(t *testing.T) {
		ts := serve(t, Options{}, nil)
		w, _ := ts.ws(4)
		s := ts.next()
		w.c.Close()
		s.wantClosed(t, ReasonTransportClose)
		if err := s.Send(text("x"), SendOptions{}); !errors.Is(err, poll.ErrClosed) {
			t.Errorf("Send: %v", err)
		}
	})
	t.Run("server closes", func(t *testing.T) {
		ts := serve(t, Options{}, nil)
		w, _ := ts.ws(4)
		s := ts.next()
		if err := s.Send(text("last"), SendOptions{}); err != nil {
			t.Error(err)
		}
		s.Close()
		s.wantClosed(t, ReasonForcedClose)
		w.want(websocket.Text, "4last")
		w.text("4ignored")
		w.wantClose("")
		if len(s.messages) != 0 {
			t.Error("a message was delivered after Close")
		}
	})
	t.Run("refused message", func(t *testing.T) {
		ts := serve(t, Options{}, func(s *testSession) {
			s.onMessage = func([]byte, bool) error { return errRefused }
		})
		w, _ := ts.ws(4)
		s := ts.next()
		w.text("4x")
		if detail := s.wantClosed(t, ReasonForcedClose); !errors.Is(detail, errRefused) {
			t.Errorf("detail %v", detail)
		}
		w.wantClose("")
	})
}

func TestWebSocketWithPollingTransport(t *testing.T) {
	ts := serve(t, Options{}, nil)
	w := ts.upgrade(polling4)
	w.wantClose("")
	p := ts.poll(4)
	w = ts.upgrade(p.query())
	w.wantClose("")
	p.wantOK("4still there")
}

func TestWebSocketProtocolMismatch(t *testing.T) {
	ts := serve(t, Options{AllowEIO3: true}, nil)
	p := ts.poll(4)
	res := raw(t, ts.addr, upgradeRequest("EIO=3&transport=websocket&sid="+p.sid))
	if res.StatusCode != http.StatusBadRequest || res.body != "Bad request" {
		t.Errorf("%s %q", res.Status, res.body)
	}
}

// TestSendWithinAccept: what accept sends follows the open packet.
func TestSendWithinAccept(t *testing.T) {
	ts := serve(t, Options{}, func(s *testSession) {
		if err := s.Send(text("welcome"), SendOptions{}); err != nil {
			t.Error(err)
		}
	})
	w, _ := ts.ws(4)
	w.want(websocket.Text, "4welcome")
	ts.poll(4).wantGet("4welcome")
}

func TestCloseWithinAccept(t *testing.T) {
	ts := serve(t, Options{}, func(s *testSession) { s.Close() })
	w, _ := ts.ws(4)
	w.wantClose("")
	ts.next().wantClosed(t, ReasonForcedClose)
	p := ts.poll(4)
	ts.next().wantClosed(t, ReasonForcedClose)
	p.wantGet("6\x1e1")
	p.wantGone()
}

func TestAcceptRefuses(t *testing.T) {
	srv, err := New(Options{}, func(*Session) Receiver { return nil })
	if err != nil {
		t.Fatal(err)
	}
	ts := listen(t, srv)
	w, _ := ts.ws(4)
	w.wantClose("")
	if n := ts.Sessions(); n != 0 {
		t.Errorf("%d sessions", n)
	}
}

func TestCompressedFrames(t *testing.T) {
	ts := serve(t, Options{Deflate: &websocket.DeflateOptions{}}, nil)
	w := ts.upgrade(ws4, "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits")
	if ext := w.res.Header.Get("Sec-WebSocket-Extensions"); !strings.HasPrefix(ext, "permessage-deflate") {
		t.Fatalf("extensions %q", ext)
	}
	w.read()
	s := ts.next()
	long := strings.Repeat("abcd", 1000)
	for _, o := range []SendOptions{{}, {NoCompress: true}} {
		if err := s.Send(textWith(long, "tiny", long), o); err != nil {
			t.Fatal(err)
		}
	}
	var sizes []int
	for range 6 {
		_, p := w.read()
		sizes = append(sizes, len(p))
	}
	if sizes[0] > 100 || sizes[1] != 4 || sizes[2] > 100 {
		t.Errorf("compressed message has frames of %v bytes", sizes[:3])
	}
	if sizes[3] != 4001 || sizes[4] != 4 || sizes[5] != 4000 {
		t.Errorf("plain message has frames of %v bytes", sizes[3:])
	}
}

// TestMessageForms has the bytes of each form of a message.
func TestMessageForms(t *testing.T) {
	for _, c := range []struct {
		name   string
		m      *Message
		v4, v3 string
		size   int
	}{
		{"text", text("hi"), "8103346869", "8103346869", 2},
		{"empty text", text(""), "810134", "810134", 0},
		{"attachments", textWith("x", "\x01\x02", ""), "8102347882020102" + "8200", "810234788203040102820104", 3},
		{"binary", binary("\x01\x02"), "82020102", "8203040102", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 2 { // made, then kept
				if got := hex.EncodeToString(c.m.frames(4)); got != c.v4 {
					t.Errorf("protocol 4: %s, want %s", got, c.v4)
				}
				if got := hex.EncodeToString(c.m.frames(3)); got != c.v3 {
					t.Errorf("protocol 3: %s, want %s", got, c.v3)
				}
			}
			if c.m.Len() != c.size {
				t.Errorf("Len %d, want %d", c.m.Len(), c.size)
			}
		})
	}
}

func TestMessageIsOneAllocation(t *testing.T) {
	payload := strings.Repeat("x", 200)
	if n := testing.AllocsPerRun(100, func() {
		NewText(append(Buffer(len(payload)), payload...), nil).frames(4)
	}); n > 2 { // the buffer, the Message
		t.Errorf("%v allocations", n)
	}
}
