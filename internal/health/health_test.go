package health_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"go.uber.org/goleak"

	"github.com/seed-09a96375/belfry/internal/health"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestHandler(t *testing.T) {
	well := func() (bool, []string) { return true, nil }
	ill := func() (bool, []string) { return false, []string{"no bus", "draining"} }
	for _, test := range []struct {
		method, path string
		ready        func() (bool, []string)
		status       int
		body         string
	}{
		{http.MethodGet, "/healthz/live", well, 200, `{"live":true}` + "\n"},
		{http.MethodGet, "/healthz/live", ill, 200, `{"live":true}` + "\n"},
		{http.MethodGet, "/healthz/ready", well, 200, `{"ready":true}` + "\n"},
		{http.MethodGet, "/healthz/ready", ill, 503, `{"ready":false,"reasons":["no bus","draining"]}` + "\n"},
		{http.MethodPost, "/healthz/ready", well, 405, "Method Not Allowed\n"},
		{http.MethodGet, "/healthz/other", well, 404, "404 page not found\n"},
	} {
		w := httptest.NewRecorder()
		health.Handler(test.ready).ServeHTTP(w, httptest.NewRequest(test.method, test.path, nil))
		if w.Code != test.status || w.Body.String() != test.body {
			t.Errorf("%s %s: %d %q, want %d %q", test.method, test.path, w.Code, w.Body, test.status, test.body)
		}
		if got := w.Header().Get("Cache-Control"); w.Code != 404 && w.Code != 405 && got != "no-store" {
			t.Errorf("%s may be cached: %q", test.path, got)
		}
	}
}
