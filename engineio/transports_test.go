package engineio

import (
	"testing"

	"github.com/seed-09a96375/belfry/websocket"
)

func TestSmoke(t *testing.T) {
	ts := serve(t, Options{}, nil)
	p := ts.poll(4)
	s := ts.next()
	p.wantOK("4hello\x1ebAQID")
	if m := s.message(t); m != "hello" {
		t.Error(m)
	}
	if m := s.message(t); m != "bin:\x01\x02\x03" {
		t.Error(m)
	}
	s.Send(text("a"), SendOptions{})
	s.Send(textWith("b", "\x01\x02\x03"), SendOptions{})
	p.wantGet("4a\x1e4b\x1ebAQID")
	w, _ := ts.ws(4)
	s = ts.next()
	w.text("4hi")
	if m := s.message(t); m != "hi" {
		t.Error(m)
	}
	s.Send(textWith("b", "\x01\x02\x03"), SendOptions{})
	w.want(websocket.Text, "4b")
	w.want(websocket.Binary, "\x01\x02\x03")
	s.Close()
	w.wantClose("")
	s.wantClosed(t, ReasonForcedClose)
}
