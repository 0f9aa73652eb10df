package httpapi_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seed-09a96375/belfry/auth"
	"github.com/seed-09a96375/belfry/internal/httpapi"
)

// TestNeverOpen: without a key nothing is possible, and without an authenticator
// neither is it with one.
func TestNeverOpen(t *testing.T) {
	calls := [][2]string{
		{"POST", "/api/publish"},
		{"POST", "/api/batch"},
		{"GET", "/api/rooms"},
		{"GET", "/api/rooms/r"},
		{"GET", "/api/rooms/r/presence"},
		{"POST", "/api/rooms/r/join"},
		{"POST", "/api/rooms/r/leave"},
		{"GET", "/api/sessions"},
		{"GET", "/api/sessions/s"},
		{"DELETE", "/api/sessions/s"},
		{"POST", "/api/users/u/publish"},
		{"GET", "/api/users/u/sessions"},
		{"DELETE", "/api/users/u/sessions"},
		{"GET", "/api/nodes"},
		{"POST", "/api/reply"},
	}
	c := newCluster(t, httpapi.Options{Auth: keys(t, auth.APIKey{Name: "reader", Key: strings.Repeat("r", 32), Grants: auth.Rules{History: []string{"*"}}})})
	closed := newCluster(t, httpapi.Options{Open: true})
	shut, err := httpapi.New(closed.a, httpapi.Options{Logger: quiet})
	must(t, err)
	closed.api = shut
	for _, call := range calls {
		for key, code := range map[string]string{"": "token_missing", "wrong": "token_invalid"} {
			c.key = key
			got := c.do(call[0], call[1], "")
			got.wantProblem(http.StatusUnauthorized, code, "auth.api_keys")
			if !strings.HasPrefix(got.header.Get("WWW-Authenticate"), `Bearer realm="belfry"`) {
				t.Errorf("%v: %v", call, got.header)
			}
		}
		closed.do(call[0], call[1], "").wantProblem(http.StatusUnauthorized, "token_missing", "add auth.api_keys")
	}
}

func TestOpen(t *testing.T) {
	c := newCluster(t, httpapi.Options{Open: true})
	c.key = ""
	if got := c.do("POST", "/api/publish", `{"event":"e"}`); got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
	// A page of another site can send this without a preflight.
	r := c.request("POST", "/api/publish", `{"event":"e"}`)
	r.Header.Set("Content-Type", "text/plain")
	c.doc = nil // it knows no other type
	c.send(r).wantProblem(http.StatusUnsupportedMediaType, "unsupported_media_type", "Content-Type: application/json")
	if _, err := httpapi.New(c.a, httpapi.Options{Open: true, Auth: keys(t), MaxBody: -1, Namespaces: []string{"x"}}); err == nil ||
		!strings.Contains(err.Error(), "Open") || !strings.Contains(err.Error(), "MaxBody is -1") || !strings.Contains(err.Error(), "Namespaces is x") {
		t.Errorf("options that cannot work: %v", err)
	}
}

func TestBodies(t *testing.T) {
	c := newCluster(t, httpapi.Options{MaxBody: 2000, MaxDepth: 8})
	long := strings.Repeat("x", 513)
	for body, want := range map[string]struct {
		code, text string
		fields     []string
	}{
		`{"event":"e"`:              {"malformed", "unexpected end", nil},
		`{"event":"e"} {}`:          {"malformed", "after top-level value", nil},
		"{\"event\":\"\xff\"}":      {"malformed", "byte 10", nil},
		` `:                         {"malformed", "is empty", nil},
		`[[[[[[[[[1]]]]]]]]]`:       {"malformed", "nests 9", nil},
		`[]`:                        {"invalid", "an array", []string{""}},
		`null`:                      {"invalid", "null", []string{""}},
		`{}`:                        {"invalid", "/event is missing", []string{"/event"}},
		`{"event":""}`:              {"invalid", "/event is empty", []string{"/event"}},
		`{"event":null}`:            {"invalid", "and is null", []string{"/event"}},
		`{"event":"connect"}`:       {"invalid", "meaning of its own", []string{"/event"}},
		`{"event":"\ud800"}`:        {"invalid", "surrogate", []string{"/event"}},
		`{"event":"\udc00\ud83d"}`:  {"invalid", "surrogate", []string{"/event"}},
		`{"event":"e","event":"f"}`: {"invalid", "twice", []string{"/event"}},
		`{"event":"e","a/b~c":1}`:   {"invalid", "not known", []string{"/a~1b~0c"}},
		`{"event":"e","room":"r"}`:  {"invalid", "the fields here are rooms, user, event", []string{"/room"}},
		`{"event":"e","rooms":"r"}`: {"invalid", "must be an array, and is a string", []string{"/rooms"}},
		`{"event":"e","rooms":["r","",7,"\u0000user:x","` + long + `"]}`: {"invalid", "and 3 more", []string{"/rooms/1", "/rooms/2", "/rooms/3", "/rooms/4"}},
		`{"event":"e","args":{}}`:                               {"invalid", "/args must be an array", []string{"/args"}},
		`{"event":"e","ephemeral":"yes"}`:                       {"invalid", "true or false", []string{"/ephemeral"}},
		`{"event":"e","namespace":"/x"}`:                        {"invalid", "the namespaces are /", []string{"/namespace"}},
		`{"event":7,"id":"` + long + `","user":[],"except":{}}`: {"invalid", "and 3 more", []string{"/event", "/id", "/user", "/except"}},
	} {
		p := c.do("POST", "/api/publish", body).wantProblem(400, want.code, want.text)
		if want.fields != nil {
			wantFields(t, p, want.fields...)
		}
	}
	big := `{"event":"` + strings.Repeat("x", 2000) + `"}`
	c.do("POST", "/api/publish", big).wantProblem(413, "too_large", "2000 bytes")
	r := c.request("POST", "/api/publish", big)
	r.ContentLength = -1 // as chunks are
	c.send(r).wantProblem(413, "too_large", "2000 bytes")
	p := c.do("POST", "/api/publish", `{"event":"e","rooms":[`+strings.Repeat("1,", 50)+`1]}`).wantProblem(400, "invalid", "and 50 more")
	if len(p.Errors) != 32 {
		t.Errorf("%d faults are listed", len(p.Errors))
	}
}

func TestParameters(t *testing.T) {
	c := newCluster(t, httpapi.Options{})
	for target, fields := range map[string][]string{
		"/api/rooms?limit=0":                                   {"limit"},
		"/api/rooms?limit=x&namespace=/x":                      {"namespace", "limit"},
		"/api/rooms?foo=1":                                     {"foo"},
		"/api/rooms?limit=1&limit=2":                           {"limit"},
		"/api/rooms/%00user%3Aada":                             {"room"},
		"/api/rooms/%ff":                                       {"room"},
		"/api/rooms/r/presence?members=yes":                    {"members"},
		"/api/users/" + strings.Repeat("u", 257) + "/sessions": {"user"},
	} {
		wantFields(t, c.do("GET", target, "").wantProblem(400, "invalid", "parameter"), fields...)
	}
	c.do("GET", "/api/nothing", "").wantProblem(404, "not_found", "/api/openapi.json")
	got := c.do("PUT", "/api/sessions/x", "")
	got.wantProblem(405, "method_not_allowed", "PUT")
	if allow := strings.Join(got.header.Values("Allow"), ","); allow != "GET,DELETE" {
		t.Errorf("Allow: %s", allow)
	}
	c.doc = nil // net/http leaves the body out, a recorder does not
	if got := c.do("HEAD", "/api/rooms", ""); got.status != 200 {
		t.Errorf("HEAD: %d", got.status)
	}
}

// TestRoomNames: any name goes into a path, through two muxes and a real client.
func TestRoomNames(t *testing.T) {
	c := newCluster(t, httpapi.Options{})
	outer := http.NewServeMux()
	outer.Handle(httpapi.Path, c.api)
	server := httptest.NewServer(outer)
	defer server.Close()
	for name, escaped := range map[string]string{
		"a/b": "a%2Fb", "..": "%2E%2E", ".": "%2E", "/": "%2F", "//": "%2F%2F", "a b": "a%20b", "a+b": "a+b", "%": "%25", "%2F": "%252F",
		"?x=1": "%3Fx=1", "#": "%23", "ä€😀": "%C3%A4%E2%82%AC%F0%9F%98%80", "join": "join", "a:b;c=d": "a:b;c=d", "\x7f\n": "%7F%0A", "{room}": "%7Broom%7D", "../join": "%2E%2E%2Fjoin",
	} {
		ada := enter(t, c.b, "ada-"+belfryID(name), "")
		for _, verb := range []string{"join", "leave"} {
			r, err := http.NewRequestWithContext(t.Context(), "POST", server.URL+"/api/rooms/"+escaped+"/"+verb, strings.NewReader(`{"sessions":["`+string(ada.id)+`"]}`))
			must(t, err)
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer "+key)
			got, err := server.Client().Do(r)
			must(t, err)
			body, err := io.ReadAll(got.Body)
			must(t, err)
			_ = got.Body.Close()
			in := ada.space.Has(ada.slot, roomNamed(name))
			if got.StatusCode != 200 || in != (verb == "join") {
				t.Errorf("%s %q: %d %s, member: %v", verb, name, got.StatusCode, body, in)
			}
		}
	}
}
