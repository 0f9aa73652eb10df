package engineio

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func request1() *http.Request {
	r := httptest.NewRequest("GET", "/engine.io/?EIO=4&transport=polling&a=1&a=2&b=x%20y&bad=%zz", nil)
	r.RemoteAddr = "192.0.2.1:1234"
	r.Header = http.Header{
		"User-Agent": {"test: agent"}, "Cookie": {"a=b; c=d"}, "Origin": {"https://example.org"},
		"X-Many": {"1", "2", ""},
	}
	return r
}

func TestHandshakeKeepsRequest(t *testing.T) {
	r := request1()
	h := newHandshake(r, nil)
	if h.URL() != r.RequestURI || h.RemoteAddr() != "192.0.2.1:1234" || h.Secure() || !h.CrossDomain() {
		t.Errorf("%q %q %v %v", h.URL(), h.RemoteAddr(), h.Secure(), h.CrossDomain())
	}
	if ago := time.Since(h.Time()); ago < 0 || ago > patience {
		t.Errorf("time %v", h.Time())
	}
	want := r.Header.Clone()
	want.Set("Host", "example.com")
	if got := h.Header(); !reflect.DeepEqual(got, want) {
		t.Errorf("header %v, want %v", got, want)
	}
	query := url.Values{"EIO": {"4"}, "transport": {"polling"}, "a": {"1", "2"}, "b": {"x y"}}
	if got := h.Query(); !reflect.DeepEqual(got, query) {
		t.Errorf("query %v", got)
	}
}

func TestHandshakeKeepsChosenHeaders(t *testing.T) {
	o := Options{KeepHeaders: []string{"cookie", "x-many", "host"}}.withDefaults()
	h := newHandshake(request1(), o.KeepHeaders)
	want := http.Header{"Cookie": {"a=b; c=d"}, "X-Many": {"1", "2", ""}, "Host": {"example.com"}}
	if got := h.Header(); !reflect.DeepEqual(got, want) {
		t.Errorf("header %v", got)
	}
	h = newHandshake(request1(), []string{})
	if got := h.Header(); len(got) != 0 {
		t.Errorf("header %v", got)
	}
}

func TestHandshakeSecure(t *testing.T) {
	r := request1()
	r.TLS = &tls.ConnectionState{}
	r.Header.Del("Origin")
	if h := newHandshake(r, nil); !h.Secure() || h.CrossDomain() {
		t.Error("secure or cross-domain")
	}
}

func FuzzHandshake(f *testing.F) {
	f.Add("/engine.io/?a=b", "X-A", "value", "192.0.2.1:80")
	f.Add("", "", "", "")
	f.Add("/?a\n=b", "A\nB", "c\nd: e", "x\ny")
	f.Fuzz(func(t *testing.T, uri, name, value, addr string) {
		r := &http.Request{RequestURI: uri, URL: &url.URL{Path: "/"}, RemoteAddr: addr, Header: http.Header{name: {value}}}
		h := newHandshake(r, nil)
		if clean := strings.ReplaceAll(addr, "\n", ""); h.RemoteAddr() != clean {
			t.Errorf("address %q, want %q", h.RemoteAddr(), clean)
		}
		if clean := strings.ReplaceAll(uri, "\n", ""); uri != "" && h.URL() != clean {
			t.Errorf("URL %q, want %q", h.URL(), clean)
		}
		h.Query()
		got := h.Header()
		if strings.ContainsAny(name+value, "\n") {
			if len(got) != 0 {
				t.Errorf("header %v", got)
			}
		} else if !strings.Contains(name, ": ") && !reflect.DeepEqual(got, r.Header) {
			t.Errorf("header %v, want %v", got, r.Header)
		}
	})
}

func TestParseQuery(t *testing.T) {
	for raw, want := range map[string]query{
		"":                              {protocol: 3},
		"EIO=4":                         {protocol: 4},
		"EIO=4&EIO=x":                   {protocol: 3},
		"EIO=04":                        {protocol: 3},
		"transport=polling&transport=x": {protocol: 3, transport: "x"},
		"transport=%70olling":           {protocol: 3, transport: "polling"},
		"transport=%zz":                 {protocol: 3},
		"sid":                           {protocol: 3, hasSID: true},
		"sid=a%2Bb+c&j=12&b64=1":        {protocol: 3, hasSID: true, sid: "a+b c", hasJSONP: true, jsonp: "12", base64: true},
		"&&=&EIO=4&x=sid=1":             {protocol: 4},
	} {
		if got := parseQuery(raw); got != want {
			t.Errorf("%q: %+v", raw, got)
		}
	}
}

// FuzzQuery compares with net/url where that has an opinion.
func FuzzQuery(f *testing.F) {
	for _, s := range []string{"EIO=4&transport=polling&sid=abc", "sid=%41+b&&j", "b64=1&b64=", "EIO=4&EIO=%33"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got := parseQuery(raw)
		values, err := url.ParseQuery(raw)
		if err != nil || strings.Contains(raw, "%") || strings.Contains(raw, ";") {
			return // net/url decodes keys as well, and splits differently
		}
		if v := values["sid"]; got.hasSID != (len(v) > 0) || (got.hasSID && got.sid != v[len(v)-1]) {
			t.Errorf("sid %q of %q", got.sid, v)
		}
		if v := values["transport"]; len(v) > 0 && got.transport != v[len(v)-1] {
			t.Errorf("transport %q of %q", got.transport, v)
		}
	})
}

// FuzzOrigin compares with a regular expression.
func FuzzOrigin(f *testing.F) {
	f.Add("https://*.example.com", "https://a.example.com")
	f.Add("*", "")
	f.Add("http://*:*", "http://a:1")
	f.Add("http://*a*ab", "http://caab/aab")
	f.Fuzz(func(t *testing.T, pattern, origin string) {
		if validOrigin(pattern) != nil || len(origin) > maxOrigin {
			return
		}
		p, o := strings.ToLower(pattern), strings.ToLower(origin)
		re, err := regexp.Compile("(?s)^" + strings.ReplaceAll(regexp.QuoteMeta(p), `\*`, "[^/]*") + "$")
		if err != nil || !utf8.ValidString(p+o) {
			return
		}
		if got := matchOrigins([]string{pattern}, origin); pattern != "*" && got != re.MatchString(o) {
			t.Errorf("%q matches %q: %v", pattern, origin, got)
		}
	})
}
