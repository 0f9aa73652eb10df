package orders

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// api is an HTTP API that answers with a status, and keeps what it got.
type api struct {
	status int
	key    string
	body   map[string]any
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.key = r.Header.Get("Authorization")
	_ = json.NewDecoder(r.Body).Decode(&a.body)
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, `{"code":"forbidden","detail":"the grants of this key lack publish"}`)
}

func (a *api) start(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(a)
	t.Cleanup(s.Close)
	t.Cleanup(http.DefaultTransport.(*http.Transport).CloseIdleConnections)
	return s.URL
}

// notify posts a body and returns what is answered.
func notify(t *testing.T, url, method, kind, body string) *httptest.ResponseRecorder {
	t.Helper()
	return notifyBy(t.Context(), url, method, kind, body)
}

func notifyBy(ctx context.Context, url, method, kind, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(ctx, method, "/api/notification", strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Authorization", "Bearer secret")
	w := httptest.NewRecorder()
	Notifications(url).ServeHTTP(w, r)
	return w
}

func TestNotificationIsPublishedWithTheKeyOfTheRequest(t *testing.T) {
	a := &api{status: http.StatusOK}
	w := notify(t, a.start(t), http.MethodPost, "application/json; charset=utf-8", `{"topic":"/topic/a/b","message":"hi","id":"1"}`)
	if w.Code != http.StatusOK || w.Body.Len() != 0 {
		t.Errorf("answered with %d %s, want 200 without a body", w.Code, w.Body)
	}
	if a.key != "Bearer secret" {
		t.Errorf("the API got the key %q", a.key)
	}
	got, _ := json.Marshal(a.body)
	if want := `{"args":["hi"],"event":"message","id":"1","rooms":["a/b"]}`; string(got) != want {
		t.Errorf("the API got %s, want %s", got, want)
	}
}

// TestNotificationTellsRefusals: 200 is said for nothing that was not accepted.
func TestNotificationTellsRefusals(t *testing.T) {
	url := (&api{status: http.StatusForbidden}).start(t)
	const good = `{"topic":"/topic/a","message":"hi"}`
	for name, c := range map[string]struct {
		method, kind, body string
		status             int
		says               string
	}{
		"forbidden": {http.MethodPost, "application/json", good, http.StatusForbidden, "lack publish"},
		"GET":       {http.MethodGet, "application/json", "", http.StatusMethodNotAllowed, "POST"},
		"form":      {http.MethodPost, "text/plain", good, http.StatusUnsupportedMediaType, "Content-Type"},
		"no JSON":   {http.MethodPost, "application/json", "{", http.StatusBadRequest, "topic, message"},
		"unknown":   {http.MethodPost, "application/json", `{"topic":"/topic/a","text":"hi"}`, http.StatusBadRequest, `"text"`},
		"no topic":  {http.MethodPost, "application/json", `{"message":"hi"}`, http.StatusBadRequest, "topic is"},
		"bare":      {http.MethodPost, "application/json", `{"topic":"/topic/","message":"hi"}`, http.StatusBadRequest, "topic is"},
		"empty":     {http.MethodPost, "application/json", `{"topic":"/topic/a"}`, http.StatusBadRequest, "message is empty"},
		"null":      {http.MethodPost, "application/json", `null`, http.StatusBadRequest, "topic is"},
		"large":     {http.MethodPost, "application/json", `{"topic":"/topic/a","message":"` + strings.Repeat("x", maxNotification) + `"}`, http.StatusBadRequest, "large"},
	} {
		w := notify(t, url, c.method, c.kind, c.body)
		if w.Code != c.status || !strings.Contains(w.Body.String(), strings.ReplaceAll(c.says, `"`, `\"`)) {
			t.Errorf("%s: answered with %d %s, want %d with %q", name, w.Code, w.Body, c.status, c.says)
		}
		if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
			t.Errorf("%s: content type is %q", name, got)
		}
	}
}

func TestNotificationSaysWhenNobodyAccepts(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	w := notifyBy(ctx, "http://127.0.0.1:1", http.MethodPost, "application/json", `{"topic":"/topic/a","message":"hi"}`)
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("answered with %d, want 503 and Retry-After", w.Code)
	}
}
