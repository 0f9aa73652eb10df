package look_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/seed-09a96375/belfry/examples/look"
)

func TestFiles(t *testing.T) {
	files := look.Files(fstest.MapFS{
		"index.html": {Data: []byte("a page")},
		"icon.svg":   {Data: []byte("its own icon")},
	})
	for path, want := range map[string]string{
		"/": "a page", "/icon.svg": "its own icon", "/base.css": ":root {", "/other.css": "",
	} {
		w := httptest.NewRecorder()
		files.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if ok := w.Code == http.StatusOK; ok != (want != "") || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s is answered with %d %.80q, want %q", path, w.Code, w.Body, want)
		}
	}
}
