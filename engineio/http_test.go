package engineio

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

const (
	polling4 = "EIO=4&transport=polling"
	ws4      = "EIO=4&transport=websocket"
)

// sidPattern stands for the session id of an answer.
var sidPattern = regexp.MustCompile(`[A-Za-z0-9_-]{20}`)

// httpCase is one request and what must come back.
type httpCase struct {
	name    string
	options Options
	request string
	status  int
	body    string // with SID for the session id
	// headers that must be there with this value; "" is absent.
	headers map[string]string
}

const openBody = `0{"sid":"SID","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`

func refused(code Code, message string) string {
	return fmt.Sprintf(`{"code":%d,"message":"%s"}`, code, message)
}

var (
	textHeaders = map[string]string{
		"Content-Type": "text/plain; charset=UTF-8", "Cache-Control": "no-store",
		"Access-Control-Allow-Origin": "", "Set-Cookie": "", "X-Xss-Protection": "", "Content-Encoding": "",
	}
	jsonHeaders  = map[string]string{"Content-Type": "application/json", "Access-Control-Allow-Origin": ""}
	plainHeaders = map[string]string{"Content-Type": "text/html", "Connection": "close"}
)

// handshakeCases are requests without a session, as the captures have them.
var handshakeCases = []httpCase{
	{name: "polling", request: get(polling4), status: 200, body: openBody, headers: textHeaders},
	{name: "parameters twice: the last counts", request: get("EIO=3&transport=x&EIO=4&transport=polling"), status: 200, body: openBody},
	{name: "MSIE", request: get(polling4, "User-Agent: Mozilla/5.0 (Windows;MSIE 9.0)"), status: 200, body: openBody, headers: map[string]string{"X-Xss-Protection": "0"}},
	{name: "Trident", request: get(polling4, "User-Agent: Trident/7.0"), status: 200, body: openBody, headers: map[string]string{"X-Xss-Protection": "0"}},
	{name: "no EIO", request: get("transport=polling"), status: 400, body: refused(5, "Unsupported protocol version"), headers: jsonHeaders},
	{name: "EIO=3", request: get("EIO=3&transport=polling"), status: 400, body: refused(5, "Unsupported protocol version"), headers: jsonHeaders},
	{name: "no transport", request: get("EIO=4"), status: 400, body: refused(0, "Transport unknown"), headers: jsonHeaders},
	{name: "unknown transport", request: get("EIO=4&transport=abc"), status: 400, body: refused(0, "Transport unknown"), headers: jsonHeaders},
	{name: "webtransport over HTTP", request: get("EIO=4&transport=webtransport"), status: 400, body: refused(0, "Transport unknown"), headers: jsonHeaders},
	{name: "disabled transport", options: Options{Transports: []Transport{WebSocket}}, request: get(polling4), status: 400, body: refused(0, "Transport unknown"), headers: jsonHeaders},
	{name: "transport before sid", request: get("EIO=4&transport=abc&sid=unknown"), status: 400, body: refused(0, "Transport unknown"), headers: jsonHeaders},
	{name: "websocket without upgrade", request: get(ws4), status: 400, body: refused(3, "Bad request"), headers: jsonHeaders},
	{name: "POST", request: post(polling4, "4x"), status: 400, body: refused(2, "Bad handshake method"), headers: jsonHeaders},
	{name: "PUT", request: plain("PUT", polling4, ""), status: 400, body: refused(2, "Bad handshake method"), headers: jsonHeaders},
	{name: "OPTIONS without CORS", request: plain("OPTIONS", polling4, ""), status: 400, body: refused(2, "Bad handshake method"), headers: jsonHeaders},
	{name: "unknown sid", request: get(polling4 + "&sid=unknown"), status: 400, body: refused(1, "Session ID unknown"), headers: jsonHeaders},
	{name: "unknown sid of the right form", request: get(polling4 + "&sid=AAAAAAAAAAAAAAAAAAAA"), status: 400, body: refused(1, "Session ID unknown")},
	{name: "empty sid", request: get(polling4 + "&sid="), status: 400, body: refused(1, "Session ID unknown")},
	{name: "unknown sid, POST", request: post(polling4+"&sid=unknown", "4x"), status: 400, body: refused(1, "Session ID unknown")},
	{name: "unknown sid, PUT", request: plain("PUT", polling4+"&sid=unknown", ""), status: 400, body: refused(1, "Session ID unknown")},
	{name: "JSON-P", request: get(polling4 + "&j=0"), status: 200, headers: textHeaders, body: `___eio[0]("` + strings.ReplaceAll(openBody, `"`, `\"`) + `");`},
	{name: "b64", request: get(polling4 + "&b64=1"), status: 200, body: openBody},
	{name: "polling only", options: Options{Transports: []Transport{Polling}}, request: get(polling4), status: 200, body: strings.Replace(openBody, `"websocket"`, "", 1)},
	{name: "no upgrades", options: Options{NoUpgrades: true}, request: get(polling4), status: 200, body: strings.Replace(openBody, `"websocket"`, "", 1)},
	{name: "other times", options: Options{PingInterval: time.Second, PingTimeout: 500 * time.Millisecond, MaxPayload: 1e8}, request: get(polling4), status: 200, body: `0{"sid":"SID","upgrades":["websocket"],"pingInterval":1000,"pingTimeout":500,"maxPayload":100000000}`},
	{name: "protocol 3", options: Options{AllowEIO3: true}, request: get("EIO=3&transport=polling&b64=1"), status: 200, body: "118:" + openBody, headers: textHeaders},
	{name: "no EIO is protocol 3", options: Options{AllowEIO3: true}, request: get("transport=polling"), status: 200, body: "118:" + openBody},
	{name: "refused by the application", options: Options{AllowRequest: deny}, request: get(polling4), status: 403, body: refused(4, "custom deny message"), headers: jsonHeaders},
	{name: "method before the application", options: Options{AllowRequest: deny}, request: post(polling4, ""), status: 400, body: refused(2, "Bad handshake method")},
	{name: "upgrade to something else", request: get(polling4, "Connection: Upgrade", "Upgrade: h2c"), status: 200, body: openBody},
}

// upgradeCases are refused before 101, as plain text.
var upgradeCases = []httpCase{
	{name: "unknown sid", request: upgradeRequest(ws4 + "&sid=unknown"), status: 400, body: "Session ID unknown", headers: plainHeaders},
	{name: "no EIO", request: upgradeRequest("transport=websocket"), status: 400, body: "Unsupported protocol version", headers: plainHeaders},
	{name: "EIO=3", request: upgradeRequest("EIO=3&transport=websocket"), status: 400, body: "Unsupported protocol version", headers: plainHeaders},
	{name: "unknown transport", request: upgradeRequest("EIO=4&transport=abc"), status: 400, body: "Transport unknown", headers: plainHeaders},
	{name: "disabled transport", options: Options{Transports: []Transport{Polling}}, request: upgradeRequest(ws4), status: 400, body: "Transport unknown", headers: plainHeaders},
	{name: "POST", request: strings.Replace(upgradeRequest(ws4), "GET", "POST", 1), status: 400, body: "Bad handshake method", headers: plainHeaders},
	{name: "bad version", request: strings.Replace(upgradeRequest(ws4), "Version: 13", "Version: 12", 1), status: 400, body: "Missing or invalid Sec-WebSocket-Version header", headers: map[string]string{"Sec-Websocket-Version": "13, 8", "Content-Type": "text/html"}},
	{name: "refused by the application", options: Options{AllowRequest: deny}, request: upgradeRequest(ws4), status: 400, body: "custom deny message", headers: plainHeaders},
}

func deny(*http.Request) error { return errors.New("custom deny message") }

func TestHandshakeRequests(t *testing.T) { runHTTPCases(t, handshakeCases) }

func TestRefusedUpgrades(t *testing.T) { runHTTPCases(t, upgradeCases) }

func runHTTPCases(t *testing.T, cases []httpCase) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			ts := serve(t, c.options, nil)
			res := raw(t, ts.addr, c.request)
			if res.StatusCode != c.status {
				t.Errorf("status %d, want %d", res.StatusCode, c.status)
			}
			if body := sidPattern.ReplaceAllString(res.body, "SID"); body != c.body && res.body != c.body {
				t.Errorf("body %s\nwant %s", body, c.body)
			}
			for name, want := range c.headers {
				got := strings.Join(res.Header.Values(name), " | ")
				if name == "Connection" && res.Close {
					got = "close" // ReadResponse takes it out
				}
				if got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		})
	}
}

// controlOrigin cannot come through net/http, which refuses it earlier.
func TestOriginText(t *testing.T) {
	ts := serve(t, Options{}, nil)
	res := raw(t, ts.addr, get(polling4, "Origin: http://a\x01b"))
	if res.StatusCode != http.StatusBadRequest {
		t.Errorf("status %s", res.Status)
	}
	for text, want := range map[string]bool{"https://é.example": true, "a\tb": true, "a\x01": false, "a\x7f": false, "": true} {
		if validHeaderText(text) != want {
			t.Errorf("validHeaderText(%q) = %v", text, !want)
		}
	}
}

func TestConnectionErrors(t *testing.T) {
	errs := make(chan ConnectionError, 1)
	ts := serve(t, Options{OnConnectionError: func(e ConnectionError) { errs <- e }}, nil)
	p := ts.poll(4)
	for _, c := range []struct {
		name, request string
		code          Code
		message       string
		context       string
	}{
		{"transport", get("EIO=4&transport=abc"), 0, "Transport unknown", "map[transport:abc]"},
		{"no transport", get("EIO=4"), 0, "Transport unknown", "map[]"},
		{"sid", get(polling4 + "&sid=unknown"), 1, "Session ID unknown", "map[sid:unknown]"},
		{"method", post(polling4, ""), 2, "Bad handshake method", "map[method:POST]"},
		{"no upgrade", get(ws4), 3, "Bad request", "map[name:TRANSPORT_HANDSHAKE_ERROR]"},
		{"mismatch", get(ws4 + "&sid=" + p.sid), 3, "Bad request", "map[name:TRANSPORT_MISMATCH previousTransport:polling transport:websocket]"},
		{"protocol", get("EIO=3&transport=polling&sid=" + p.sid), 3, "Bad request", "map[name:PROTOCOL_MISMATCH protocol:3]"},
		{"version", get("EIO=3&transport=polling"), 5, "Unsupported protocol version", "map[protocol:3]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw(t, ts.addr, c.request)
			e := receive(t, errs, "a connection error")
			if e.Code != c.code || e.Message != c.message || fmt.Sprint(e.Context) != c.context || e.Request == nil {
				t.Errorf("%d %s %v", e.Code, e.Message, e.Context)
			}
		})
	}
}

func TestSessionRequests(t *testing.T) {
	ts := serve(t, Options{}, nil)
	p := ts.poll(4)
	for _, c := range []httpCase{
		{name: "PUT", request: plain("PUT", p.query(), ""), status: 500},
		{name: "DELETE", request: plain("DELETE", p.query(), ""), status: 500},
		{name: "other protocol", request: get("EIO=3&transport=polling&sid=" + p.sid), status: 400, body: refused(3, "Bad request")},
		{name: "other transport", request: get(ws4 + "&sid=" + p.sid), status: 400, body: refused(3, "Bad request")},
		{name: "POST", request: post(p.query(), "4x"), status: 200, body: "ok", headers: map[string]string{"Content-Type": "text/html", "Content-Length": "2", "Cache-Control": "no-store"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			res := raw(t, ts.addr, c.request)
			if res.StatusCode != c.status || res.body != c.body {
				t.Errorf("%s %q", res.Status, res.body)
			}
			for name, want := range c.headers {
				if got := res.Header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		})
	}
	ts.next().message(t)
}

func TestMaxSessions(t *testing.T) {
	ts := serve(t, Options{MaxSessions: 2}, nil)
	first := ts.poll(4)
	w, _ := ts.ws(4)
	ts.next()
	ts.next() // the client sees the handshake's answer a moment before the session begins
	for _, request := range []string{get(polling4), upgradeRequest(ws4)} {
		res := raw(t, ts.addr, request)
		if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
			t.Errorf("%s, Retry-After %q", res.Status, res.Header.Get("Retry-After"))
		}
	}
	first.wantOK("1")
	ts.poll(4)
	w.c.Close()
	eventually(t, "room after a client has gone", func() bool { return ts.Sessions() == 1 })
	eventually(t, "room in the index", func() bool { return len(ts.index.all()) == 1 })
	ts.ws(4)
}

func TestFitLimit(t *testing.T) {
	for descriptors, want := range map[uint64]int{0: 0, 1 << 62: 0, 1: 1, 100: 50, 1024: 960, 20_000: 19_375, 1_000_000: 998_976} {
		if got := fitLimit(descriptors); got != want {
			t.Errorf("fitLimit(%d) = %d, want %d", descriptors, got, want)
		}
	}
}
