package engineio

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

const foreign = "Origin: https://other.example"

// TestCORS has the measured answers.
func TestCORS(t *testing.T) {
	example := &CORS{
		Origin: "https://example.com", Methods: []string{"GET", "POST"},
		Credentials: true, AllowedHeaders: []string{"my-header"},
	}
	list := &CORS{Origins: []string{"https://a.com", "https://*.b.com"}}
	options := func(headers ...string) string { return plain("OPTIONS", polling4, "", headers...) }
	with := func(origin, vary, credentials string) map[string]string {
		return map[string]string{
			"Access-Control-Allow-Origin": origin, "Vary": vary,
			"Access-Control-Allow-Credentials": credentials,
		}
	}
	and := func(m map[string]string, name, value string) map[string]string {
		m[name] = value
		return m
	}
	runHTTPCases(t, []httpCase{
		{
			name: "preflight", options: Options{CORS: example}, request: options("Origin: https://example.com", "Access-Control-Request-Method: POST"), status: 204,
			headers: and(and(and(with("https://example.com", "Origin", "true"), "Access-Control-Allow-Methods", "GET,POST"), "Access-Control-Allow-Headers", "my-header"), "Content-Type", ""),
		},
		{
			name: "preflight with defaults", options: Options{CORS: list}, request: options("Origin: https://x.b.com", "Access-Control-Request-Headers: x-one, x-two"), status: 204,
			headers: and(and(with("https://x.b.com", "Origin | Access-Control-Request-Headers", ""), "Access-Control-Allow-Methods", "GET,HEAD,PUT,PATCH,POST,DELETE"), "Access-Control-Allow-Headers", "x-one, x-two"),
		},
		{
			name: "preflight to be remembered", options: Options{CORS: &CORS{Origin: "*", MaxAge: time.Hour}}, request: options(foreign), status: 204,
			headers: and(with("*", "", ""), "Access-Control-Max-Age", "3600"),
		},
		{name: "handshake", options: Options{CORS: example}, request: get(polling4, "Origin: https://example.com"), status: 200, body: openBody, headers: with("https://example.com", "Origin", "true")},
		{name: "fixed origin for another page", options: Options{CORS: example}, request: get(polling4, foreign), status: 200, body: openBody, headers: with("https://example.com", "Origin", "true")},
		{name: "any origin", options: Options{CORS: &CORS{Origin: "*"}}, request: get(polling4, foreign), status: 200, body: openBody, headers: with("*", "", "")},
		{name: "list", options: Options{CORS: list}, request: get(polling4, "Origin: https://a.com"), status: 200, body: openBody, headers: with("https://a.com", "Origin", "")},
		{name: "list does not match", options: Options{CORS: list}, request: get(polling4, foreign), status: 200, body: openBody, headers: with("", "Origin", "")},
		{name: "no Origin", options: Options{CORS: list}, request: get(polling4), status: 200, body: openBody, headers: with("", "Origin", "")},
		{name: "exposed", options: Options{CORS: &CORS{Origin: "*", ExposedHeaders: []string{"a", "b"}}}, request: get(polling4), status: 200, body: openBody, headers: map[string]string{"Access-Control-Expose-Headers": "a,b"}},
		{name: "error", options: Options{CORS: example}, request: get("EIO=4&transport=abc"), status: 400, body: refused(0, "Transport unknown"), headers: with("https://example.com", "Origin", "true")},
	})
}

func TestCORSOn101(t *testing.T) {
	ts := serve(t, Options{CORS: &CORS{Origin: "https://example.com", Credentials: true}}, nil)
	h := ts.upgrade(ws4, foreign).res.Header
	if h.Get("Access-Control-Allow-Origin") != "https://example.com" || h.Get("Vary") != "Origin" || h.Get("Access-Control-Allow-Credentials") != "true" {
		t.Errorf("headers %v", h)
	}
}

func TestOrigins(t *testing.T) {
	o := Options{Origins: []string{"https://example.com", "https://*.example.org", "http://localhost:*"}}
	for _, c := range []struct {
		headers []string
		query   string
		ok      bool
	}{
		{nil, "", true},
		{[]string{"Origin: https://example.com"}, "", true},
		{[]string{"Origin: HTTPS://Example.COM"}, "", true},
		{[]string{"Origin: https://a.example.org"}, "", true},
		{[]string{"Origin: https://a.b.example.org"}, "", true},
		{[]string{"Origin: http://localhost:3000"}, "", true},
		{[]string{"Origin: http://example.com"}, "", true}, // its own host: the tests' requests have it
		{[]string{"Origin: https://example.org"}, "", false},
		{[]string{"Origin: https://example.com.evil"}, "", false},
		{[]string{"Origin: https://evil/.example.org"}, "", false},
		{[]string{"Origin: null"}, "", false},
		{[]string{foreign}, "", false},
		{[]string{"Origin: https://" + strings.Repeat("a", 600) + ".example.org"}, "", false},
		{nil, "&j=0", false}, // a script element sends no Origin
	} {
		ts := serve(t, o, nil)
		res := raw(t, ts.addr, get(polling4+c.query, c.headers...))
		if ok := res.StatusCode == http.StatusOK; ok != c.ok {
			t.Errorf("%v%s: %s", c.headers, c.query, res.Status)
		}
		if !c.ok && (res.StatusCode != http.StatusForbidden || res.body != refused(4, "origin not allowed")) {
			t.Errorf("%v: %s %s", c.headers, res.Status, res.body)
		}
		res = raw(t, ts.addr, upgradeRequest(ws4+c.query, c.headers...))
		if ok := res.StatusCode == http.StatusSwitchingProtocols; ok != c.ok {
			t.Errorf("%v%s, WebSocket: %s", c.headers, c.query, res.Status)
		}
		if !c.ok && (res.StatusCode != http.StatusBadRequest || res.body != "origin not allowed") {
			t.Errorf("%v, WebSocket: %s %s", c.headers, res.Status, res.body)
		}
	}
}

func TestCookie(t *testing.T) {
	for _, c := range []struct {
		cookie Cookie
		want   string
	}{
		{Cookie{}, "io=SID; Path=/; HttpOnly; SameSite=Lax"},
		{Cookie{Name: "my-cookie", Script: true, SameSite: http.SameSiteStrictMode, MaxAge: 24 * time.Hour}, "my-cookie=SID; Path=/; Max-Age=86400; SameSite=Strict"},
		{Cookie{Path: "/app", Domain: "example.com", Secure: true, SameSite: http.SameSiteNoneMode}, "io=SID; Path=/app; Domain=example.com; HttpOnly; Secure; SameSite=None"},
	} {
		ts := serve(t, Options{Cookie: &c.cookie}, nil)
		res := raw(t, ts.addr, get(polling4))
		sid := openSID(t, res.body)
		if got := strings.Replace(res.Header.Get("Set-Cookie"), sid, "SID", 1); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
		p := &pollClient{t, ts.addr, 4, sid}
		if res := p.post("4x"); res.Header.Get("Set-Cookie") != "" {
			t.Error("a cookie on a later answer")
		}
	}
}

func TestHeadersHook(t *testing.T) {
	ts := serve(t, Options{Headers: func(h http.Header, r *http.Request, initial bool) {
		h.Set("X-Initial", map[bool]string{true: "yes", false: "no"}[initial])
		h.Set("X-Method", r.Method)
	}}, nil)
	p := ts.poll(4)
	for _, c := range []struct {
		request, initial, method string
	}{
		{get(polling4), "yes", "GET"},
		{post(p.query(), "4x"), "no", "POST"},
		{upgradeRequest(ws4), "yes", "GET"},
		{upgradeRequest(ws4 + "&sid=" + p.sid), "no", "GET"},
		{get("EIO=4&transport=abc"), "", ""},
	} {
		res := raw(t, ts.addr, c.request)
		if i, m := res.Header.Get("X-Initial"), res.Header.Get("X-Method"); i != c.initial || m != c.method {
			t.Errorf("%.40q: initial %q, method %q", c.request, i, m)
		}
	}
}
