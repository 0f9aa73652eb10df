package httpapi_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"

	"github.com/seed-09a96375/belfry/internal/httpapi"
)

// document is the OpenAPI document, which requests and answers are compared with.
type document struct {
	text      []byte
	validator validator.Validator
}

func newDocument(t testing.TB, api *httpapi.API) *document {
	t.Helper()
	w := httptest.NewRecorder()
	api.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/openapi.json", nil))
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("the document: %d %s", w.Code, w.Body)
	}
	known.mu.Lock()
	defer known.mu.Unlock()
	if d := known.documents[w.Body.String()]; d != nil {
		return d
	}
	parsed, err := libopenapi.NewDocument(w.Body.Bytes())
	must(t, err)
	v, errs := validator.NewValidator(parsed)
	for _, err := range errs {
		t.Fatal(err)
	}
	d := &document{text: w.Body.Bytes(), validator: v}
	known.documents[w.Body.String()] = d
	return d
}

// known are the documents so far, by their text: to read one takes longer than most
// tests.
var known = struct {
	mu        sync.Mutex
	documents map[string]*document
}{documents: make(map[string]*document)}

// check compares an answer with the document, and a request that was accepted. Calls
// that the document does not know must have failed.
func (d *document) check(t testing.TB, r *http.Request, answer *http.Response, body []byte) {
	t.Helper()
	if answer.StatusCode == http.StatusNotFound && !strings.Contains(r.URL.Path, "/sessions/") || answer.StatusCode == http.StatusMethodNotAllowed {
		return
	}
	if answer.StatusCode == http.StatusOK {
		if ok, errs := d.validator.ValidateHttpRequest(r); !ok {
			for _, e := range errs {
				t.Errorf("%s %s %s was accepted, but: %v", r.Method, r.URL, body, e)
			}
		}
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	if ok, errs := d.validator.ValidateHttpResponse(r, answer); !ok {
		for _, e := range errs {
			t.Errorf("%s %s: the answer %d: %v %v", r.Method, r.URL, answer.StatusCode, e, e.SchemaValidationErrors)
		}
	}
}

// TestDocument: the document is valid OpenAPI, and what it lists is what there is.
func TestDocument(t *testing.T) {
	c := newCluster(t, httpapi.Options{})
	if ok, errs := c.doc.validator.ValidateDocument(); !ok {
		for _, e := range errs {
			t.Errorf("%v %v", e, e.SchemaValidationErrors)
		}
	}
	var d struct {
		Paths map[string]map[string]struct{ OperationID string }
	}
	must(t, json.Unmarshal(c.doc.text, &d))
	c.doc = nil
	found := 0
	for path, operations := range d.Paths {
		target := strings.NewReplacer("{room}", "r", "{user}", "u", "{id}", "i").Replace(path)
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			_, listed := operations[strings.ToLower(method)]
			got := c.do(method, target, "")
			if there := got.status != http.StatusMethodNotAllowed; there != listed {
				t.Errorf("%s %s: listed: %v, answered with %d", method, path, listed, got.status)
			}
			if listed {
				found++
			}
		}
	}
	if found != 16 {
		t.Errorf("%d operations are listed", found)
	}
}

// TestDocumentFindsFaults is the negative control: what the document does not allow
// is found.
func TestDocumentFindsFaults(t *testing.T) {
	c := newCluster(t, httpapi.Options{})
	for name, body := range map[string]string{
		"unknown field": `{"offset":"1","surprise":1}`, "wrong type": `{"offset":1}`, "not an object": `[]`,
	} {
		r := c.request(http.MethodPost, "/api/publish", `{"event":"e"}`)
		w := httptest.NewRecorder()
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.WriteString(body)
		if ok, _ := c.doc.validator.ValidateHttpResponse(r, w.Result()); ok {
			t.Errorf("%s: %s is taken for an answer of publish", name, body)
		}
	}
	for _, body := range []string{`{}`, `{"event":"e","rooms":"r"}`, `{"event":"e","room":"r"}`} {
		if ok, _ := c.doc.validator.ValidateHttpRequest(c.request(http.MethodPost, "/api/publish", body)); ok {
			t.Errorf("%s is taken for a body of publish", body)
		}
	}
}
