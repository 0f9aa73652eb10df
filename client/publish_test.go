package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/client"
)

// api answers with one status after the other, and keeps what it was sent.
type api struct {
	statuses []int
	bodies   []client.Message
	auth     string
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var m client.Message
	_ = json.NewDecoder(r.Body).Decode(&m)
	a.bodies, a.auth = append(a.bodies, m), r.Header.Get("Authorization")
	status := a.statuses[0]
	a.statuses = a.statuses[1:]
	switch {
	case status == 0:
		panic(http.ErrAbortHandler) // the connection breaks
	case status >= 300:
		w.Header().Set("Retry-After", "0")
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`{"status":200,"code":"invalid","detail":"/rooms/0 is empty"}`))
	}
}

func publish(t *testing.T, a *api, m *client.Message, o client.Options) error {
	t.Helper()
	server := httptest.NewServer(a)
	defer server.Close()
	o.API, o.Key = server.URL+"/", "s3cret"
	c, err := client.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.Publish(t.Context(), m)
}

// TestPublishRepeats: whatever fails for now is sent again, with the same ID.
func TestPublishRepeats(t *testing.T) {
	a := &api{statuses: []int{503, 0, 429, 200}}
	m := &client.Message{Event: "e"}
	if err := publish(t, a, m, client.Options{}); err != nil {
		t.Fatal(err)
	}
	if len(a.bodies) != 4 || a.auth != "Bearer s3cret" || m.ID != "" {
		t.Fatalf("sent %d times with %q", len(a.bodies), a.auth)
	}
	for _, b := range a.bodies {
		if b.ID == "" || b.ID != a.bodies[0].ID || b.Event != "e" {
			t.Errorf("sent %+v after %+v", b, a.bodies[0])
		}
	}
}

// TestPublishRefused: what cannot succeed is not repeated, and a redirect is not
// followed with the key.
func TestPublishRefused(t *testing.T) {
	for _, status := range []int{400, 401, 404, 307} {
		a := &api{statuses: []int{status}}
		err := publish(t, a, &client.Message{Event: "e"}, client.Options{})
		var refused *client.Error
		if !errors.As(err, &refused) || refused.Status != status || refused.Code != "invalid" || len(a.bodies) != 1 {
			t.Errorf("status %d: %v after %d requests", status, err, len(a.bodies))
		}
		if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the error shows the key: %v", err)
		}
	}
}

// TestPublishGivesUp with the last error.
func TestPublishGivesUp(t *testing.T) {
	a := &api{statuses: []int{503, 503, 503, 503, 503, 503}}
	err := publish(t, a, &client.Message{Event: "e"}, client.Options{PublishFor: 300 * time.Millisecond})
	var refused *client.Error
	if !errors.As(err, &refused) || refused.Status != 503 || len(a.bodies) < 1 {
		t.Errorf("%v after %d requests", err, len(a.bodies))
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for want, o := range map[string]client.Options{
		"are empty":            {},
		"Options.API is":       {API: "belfry.example"},
		"Options.Timeout is":   {API: "http://x", Timeout: -1},
		"Options.URL is not":   {Redis: "localhost/s3cret%"},
		"Options.PublishFor i": {API: "http://x", PublishFor: -1},
	} {
		_, err := client.New(t.Context(), o)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%+v: %v, want %q", o, err, want)
		}
	}
	c, err := client.New(t.Context(), client.Options{API: "http://x"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Consume(context.Background(), "q", "g", nil, client.ConsumeOptions{}); err == nil || !strings.Contains(err.Error(), "Options.Redis is empty") {
		t.Errorf("consume without Redis: %v", err)
	}
}
