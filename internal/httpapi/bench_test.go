package httpapi_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/internal/httpapi"
)

// discard is a ResponseWriter that costs nothing.
type discard struct{ header http.Header }

func (d discard) Header() http.Header       { return d.header }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}

// BenchmarkPublish is what a publish of 128 bytes costs without HTTP and bus: key,
// body, checks, message.
func BenchmarkPublish(b *testing.B) {
	h := newHub(b, memory.New(memory.Options{}), "node-a")
	api := newAPI(b, h, httpapi.Options{})
	text := []byte(`{"rooms":["room-1"],"event":"msg","args":["` + strings.Repeat("x", 128) + `"]}`)
	body := bytes.NewReader(text)
	r, err := http.NewRequest(http.MethodPost, "http://127.0.0.1/api/publish", io.NopCloser(body))
	must(b, err)
	r.ContentLength = int64(len(text))
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	w := discard{make(http.Header)}
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		body.Reset(text)
		api.ServeHTTP(w, r)
	}
}
