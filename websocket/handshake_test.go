package websocket

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"
)

// goodRequest is the example of RFC 6455 section 1.3.
func goodRequest() *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/chat", nil)
	r.Header = http.Header{
		"Upgrade":               {"websocket"},
		"Connection":            {"Upgrade"},
		"Sec-Websocket-Key":     {"dGhlIHNhbXBsZSBub25jZQ=="},
		"Sec-Websocket-Version": {"13"},
	}
	return r
}

func newTestUpgrader(t testing.TB, o Options) *Upgrader {
	t.Helper()
	if o.Poller == nil {
		o.Poller = new(memoryPoller)
	}
	u, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestCheckAccepts(t *testing.T) {
	tests := []struct {
		name   string
		change func(*http.Request)
	}{
		{"the RFC's example", func(*http.Request) {}},
		{"token lists in any case", func(r *http.Request) {
			r.Header["Connection"] = []string{"keep-alive,\tupGrade"}
			r.Header["Upgrade"] = []string{"h2c", "WebSocket"}
		}},
		{"version 8", func(r *http.Request) { r.Header.Set("Sec-WebSocket-Version", "8") }},
		{"unknown extension and protocol", func(r *http.Request) {
			r.Header.Set("Sec-WebSocket-Extensions", "x; ???")
			r.Header.Set("Sec-WebSocket-Protocol", "???")
		}},
	}
	u := newTestUpgrader(t, Options{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := goodRequest()
			tt.change(r)
			h, err := u.Check(r)
			if err != nil {
				t.Fatal(err)
			}
			if h != (Handshake{accept: "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="}) {
				t.Errorf("got %+v", h)
			}
		})
	}
}

// Texts of refusals.
const (
	badMethod      = "Invalid HTTP method"
	badHTTPVersion = "Invalid HTTP version"
	badUpgrade     = "Invalid Upgrade header"
	badConnection  = "Invalid Connection header"
	badKey         = "Missing or invalid Sec-WebSocket-Key header"
	badVersion     = "Missing or invalid Sec-WebSocket-Version header"
	badProtocol    = "Invalid Sec-WebSocket-Protocol header"
	badExtensions  = "Invalid or unacceptable Sec-WebSocket-Extensions header"
	badBody        = "Unexpected request body"
)

// refusal is a change that makes a good request a bad one.
type refusal struct {
	name    string
	change  func(*http.Request)
	status  int
	message string
}

func refusals() []refusal {
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	del := func(name string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Del(name) }
	}
	return []refusal{
		{"POST", func(r *http.Request) { r.Method = "POST" }, 405, badMethod},
		{"HTTP/1.0", func(r *http.Request) { r.ProtoMinor = 0 }, 400, badHTTPVersion},
		{"HTTP/2", func(r *http.Request) { r.ProtoMajor, r.ProtoMinor = 2, 0 }, 400, badHTTPVersion},
		{"no Upgrade", del("Upgrade"), 400, badUpgrade},
		{"other Upgrade", set("Upgrade", "websockets"), 400, badUpgrade},
		{"no Connection", del("Connection"), 400, badConnection},
		{"other Connection", set("Connection", "keep-alive, close"), 400, badConnection},
		{"no key", del("Sec-WebSocket-Key"), 400, badKey},
		{"empty key", set("Sec-WebSocket-Key", ""), 400, badKey},
		{"key of 15 bytes", set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub24="), 400, badKey},
		{"key of 17 bytes", set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZWU="), 400, badKey},
		{"key of 18 bytes", set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZWVl"), 400, badKey},
		{"key that is not base64", set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZ!=="), 400, badKey},
		{"key without padding", set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ"), 400, badKey},
		{"key with line break", set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=\n"), 400, badKey},
		{"key of 14 bytes and line breaks", set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub24=\n\n\n\n"), 400, badKey},
		{"two keys", func(r *http.Request) { r.Header.Add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==") }, 400, badKey},
		{"no version", del("Sec-WebSocket-Version"), 400, badVersion},
		{"version 7", set("Sec-WebSocket-Version", "7"), 400, badVersion},
		{"version 013", set("Sec-WebSocket-Version", "013"), 400, badVersion},
		{"malformed protocols", set("Sec-WebSocket-Protocol", "a b"), 400, badProtocol},
		{"malformed protocol after a known one", set("Sec-WebSocket-Protocol", "v12.stomp, "), 400, badProtocol},
		{"malformed extensions", set("Sec-WebSocket-Extensions", "permessage-deflate; ="), 400, badExtensions},
		{"body", func(r *http.Request) { r.ContentLength = 3 }, 400, badBody},
		{"chunked body", func(r *http.Request) { r.ContentLength = -1 }, 400, badBody},
	}
}

func TestCheckRefuses(t *testing.T) {
	u := newTestUpgrader(t, Options{Subprotocols: []string{"v12.stomp"}, Deflate: &DeflateOptions{}})
	for _, tt := range refusals() {
		t.Run(tt.name, func(t *testing.T) {
			r := goodRequest()
			tt.change(r)
			_, err := u.Check(r)
			he, ok := errors.AsType[*HandshakeError](err)
			if !ok || he.Status != tt.status || he.Message != tt.message {
				t.Fatalf("got %v, want %d %s", err, tt.status, tt.message)
			}
			var header http.Header
			if tt.message == badVersion {
				header = http.Header{"Sec-WebSocket-Version": {"13, 8"}}
			}
			if !reflect.DeepEqual(he.Header, header) {
				t.Errorf("header %v, want %v", he.Header, header)
			}
		})
	}
}

func TestSubprotocol(t *testing.T) {
	tests := []struct {
		name   string
		header []string
		want   string
	}{
		{"none offered", nil, ""},
		{"unknown", []string{"wamp"}, ""},
		{"the client's first", []string{"wamp, v11.stomp, v12.stomp"}, "v11.stomp"},
		{"over several headers", []string{"wamp", "v12.stomp,v11.stomp"}, "v12.stomp"},
		{"case counts", []string{"V12.STOMP"}, ""},
	}
	u := newTestUpgrader(t, Options{Subprotocols: []string{"v12.stomp", "v11.stomp"}})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := goodRequest()
			r.Header["Sec-Websocket-Protocol"] = tt.header
			h, err := u.Check(r)
			if err != nil {
				t.Fatal(err)
			}
			if got := u.Subprotocol(h); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if got := newConn(u, h, nil).Subprotocol(); got != tt.want {
				t.Errorf("Conn says %q, want %q", got, tt.want)
			}
		})
	}
}

func TestOptionsValidate(t *testing.T) {
	p := new(memoryPoller)
	tests := []struct {
		name string
		o    Options
		ok   bool
	}{
		{"defaults", Options{Poller: p}, true},
		{"no poller", Options{}, false},
		{"negative MaxMessage", Options{Poller: p, MaxMessage: -1}, false},
		{"negative MaxFragments", Options{Poller: p, MaxFragments: -1}, false},
		{"negative HandshakeTimeout", Options{Poller: p, HandshakeTimeout: -1}, false},
		{"subprotocol that is no token", Options{Poller: p, Subprotocols: []string{"a b"}}, false},
		{"empty subprotocol", Options{Poller: p, Subprotocols: []string{""}}, false},
		{"255 subprotocols", Options{Poller: p, Subprotocols: names(255)}, true},
		{"256 subprotocols", Options{Poller: p, Subprotocols: names(256)}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := New(tt.o); (err == nil) != tt.ok {
				t.Errorf("got %v", err)
			}
		})
	}
}

func names(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = "p" + string(rune('a'+i%26)) + string(rune('a'+i/26))
	}
	return list
}
