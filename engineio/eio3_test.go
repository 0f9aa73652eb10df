package engineio

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/seed-09a96375/belfry/engineio/packet"
	"github.com/seed-09a96375/belfry/websocket"
)

// TestProtocol3Polling has the bytes of the old clients.
func TestProtocol3Polling(t *testing.T) {
	ts := serve(t, Options{AllowEIO3: true}, func(s *testSession) {
		if err := s.Send(text("0"), SendOptions{}); err != nil {
			t.Error(err)
		}
	})
	p := ts.poll(3)
	s := ts.next()
	if s.Protocol() != 3 {
		t.Errorf("protocol %d", s.Protocol())
	}
	p.wantOK("1:2")
	p.wantGet("2:401:3")
	p.wantOK(`15:420["echo","é"]6:b4AQI=`)
	for _, want := range []string{`20["echo","é"]`, "bin:\x01\x02"} {
		if got := s.message(t); got != want {
			t.Errorf("message %q, want %q", got, want)
		}
	}
	if err := s.Send(textWith(`30["é😀"]`, "\x01\x02"), SendOptions{}); err != nil {
		t.Error(err)
	}
	res := raw(t, ts.addr, get(p.query()+"&b64=1"))
	if res.body != `10:430["é😀"]6:b4AQI=` || res.Header.Get("Content-Type") != "text/plain; charset=UTF-8" {
		t.Errorf("GET with b64: %s %q", res.Header.Get("Content-Type"), res.body)
	}
}

func TestProtocol3BinaryPolling(t *testing.T) {
	ts := serve(t, Options{AllowEIO3: true}, nil)
	p := ts.poll(3)
	s := ts.next()
	if err := s.Send(text("only text"), SendOptions{}); err != nil {
		t.Error(err)
	}
	p.wantGet("10:4only text")
	if err := s.Send(textWith("é", "\x01\x02"), SendOptions{}); err != nil {
		t.Error(err)
	}
	res := p.get()
	if want := "\x00\x03\xff4é\x01\x03\xff\x04\x01\x02"; res.body != want || res.Header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("GET: %s %q, want %q", res.Header.Get("Content-Type"), res.body, want)
	}
	if res := p.post("\x00\x03\xff4é\x01\x03\xff\x04\x01\x02", "Content-Type: application/octet-stream"); res.body != "ok" {
		t.Errorf("POST: %s %q", res.Status, res.body)
	}
	for _, want := range []string{"é", "bin:\x01\x02"} {
		if got := s.message(t); got != want {
			t.Errorf("message %q, want %q", got, want)
		}
	}
}

func TestProtocol3WebSocket(t *testing.T) {
	ts := serve(t, Options{AllowEIO3: true}, nil)
	w, _ := ts.ws(3)
	s := ts.next()
	w.text("2")
	w.want(websocket.Text, "3")
	w.write(websocket.Binary, "\x04\x01\x02")
	if got := s.message(t); got != "bin:\x01\x02" {
		t.Errorf("message %q", got)
	}
	if err := s.Send(textWith("x", "\x01\x02"), SendOptions{}); err != nil {
		t.Error(err)
	}
	w.want(websocket.Text, "4x")
	w.want(websocket.Binary, "\x04\x01\x02")
	w.write(websocket.Binary, "\x09")
	s.wantClosed(t, ReasonParseError)
	w.wantClose("")
}

func TestJSONP(t *testing.T) {
	ts := serve(t, Options{}, nil)
	p := ts.poll(4)
	s := ts.next()
	jsonp := p.query() + "&j=3"
	form := "d=" + url.QueryEscape("4a\\nb\x1ebAQI=")
	if res := raw(t, ts.addr, post(jsonp, form, "Content-Type: application/x-www-form-urlencoded")); res.body != "ok" {
		t.Errorf("POST: %s %q", res.Status, res.body)
	}
	for _, want := range []string{"a\nb", "bin:\x01\x02"} {
		if got := s.message(t); got != want {
			t.Errorf("message %q, want %q", got, want)
		}
	}
	if err := s.Send(text("a\"b\u2028"), SendOptions{}); err != nil {
		t.Error(err)
	}
	res := raw(t, ts.addr, get(jsonp))
	want := string(packet.AppendJSONP(nil, "3", []byte("4a\"b\u2028")))
	if res.StatusCode != http.StatusOK || res.body != want {
		t.Errorf("GET: %s %q, want %q", res.Status, res.body, want)
	}
}
