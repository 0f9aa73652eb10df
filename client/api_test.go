package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/auth"
	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/client"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/internal/httpapi"
)

var apiKey = strings.Repeat("k", 32)

// newAPI is the HTTP API of a node of its own, and a member that hears everybody's
// events.
func newAPI(t *testing.T) (*httptest.Server, *member) {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	h, err := hub.New(t.Context(), hub.Options{Bus: memory.New(memory.Options{Log: &memory.Log{}}), Node: "node", Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close(context.Background()) })
	m := &member{}
	if _, err := h.Space("/", hub.Hooks{}).Add(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	keys, err := auth.New(auth.Options{APIKeys: []auth.APIKey{{Name: "tests", Key: apiKey}}, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(keys.Close)
	api, err := httpapi.New(h, httpapi.Options{Auth: keys, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	return server, m
}

// member counts what it gets.
type member struct {
	mu  sync.Mutex
	got map[string]int // by event
}

func (m *member) MemberID() belfry.SocketID { return "0123456789abcdef" }

func (m *member) Deliver(d *hub.Delivery) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.got == nil {
		m.got = make(map[string]int)
	}
	m.got[string(d.Message.Data)]++
}

func (m *member) DeliverAck(*hub.Delivery, func(hub.Answer)) func() { return func() {} }
func (m *member) Join(...belfry.Room) error                         { return nil }
func (m *member) Leave(...belfry.Room)                              {}
func (m *member) Disconnect(bool)                                   {}
func (m *member) Describe() []byte                                  { return []byte("{}") }

// counts returns how many events came, and how many deliveries there were of them.
func (m *member) counts() (events, deliveries int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, n := range m.got {
		deliveries += n
	}
	return len(m.got), deliveries
}

// await waits until n events have come, and returns counts.
func (m *member) await(t *testing.T, n int) (events, deliveries int) {
	t.Helper()
	for limit := time.Now().Add(20 * time.Second); ; <-time.After(10 * time.Millisecond) {
		if events, deliveries = m.counts(); events >= n || time.Now().After(limit) {
			return events, deliveries
		}
	}
}

// lossy loses every fourth answer, and every ninth request.
type lossy struct {
	http.RoundTripper
	requests, lost atomic.Int64
	another        bool // what is sent again has another ID
}

func (l *lossy) RoundTrip(r *http.Request) (*http.Response, error) {
	n := l.requests.Add(1)
	if n%9 == 0 {
		return nil, errors.New("lost on its way there")
	}
	if l.another {
		if err := changeID(r, n); err != nil {
			return nil, err
		}
	}
	answer, err := l.RoundTripper.RoundTrip(r)
	if err == nil && n%4 == 0 {
		l.lost.Add(1)
		_ = answer.Body.Close()
		return nil, errors.New("lost on its way back")
	}
	return answer, err
}

func changeID(r *http.Request, n int64) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	text := strings.Replace(string(body), `"id":"`, fmt.Sprintf(`"id":"%d-`, n), 1)
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	return nil
}

// publishMany publishes n events over a network that loses.
func publishMany(t *testing.T, n int, l *lossy) *member {
	t.Helper()
	server, m := newAPI(t)
	l.RoundTripper = server.Client().Transport
	c, err := client.New(t.Context(), client.Options{API: server.URL, Key: apiKey, HTTP: &http.Client{Transport: l, Timeout: 10 * time.Second}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			if err := c.Publish(t.Context(), &client.Message{Event: "e", Args: []any{fmt.Sprint("number ", i)}}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	return m
}

// TestPublishToTheAPI: each event arrives once, though requests and answers are lost.
func TestPublishToTheAPI(t *testing.T) {
	t.Parallel()
	const n = 40
	l := &lossy{}
	m := publishMany(t, n, l)
	if events, deliveries := m.await(t, n); events != n || deliveries != n || l.lost.Load() == 0 {
		t.Errorf("%d events came, by %d deliveries, want %d; %d answers were lost", events, deliveries, n, l.lost.Load())
	}
}

// TestPublishToTheAPIControl: without the ID what is sent again arrives again.
func TestPublishToTheAPIControl(t *testing.T) {
	t.Parallel()
	const n = 40
	l := &lossy{another: true}
	m := publishMany(t, n, l)
	if events, deliveries := m.await(t, n); deliveries == events {
		t.Errorf("%d events came, by %d deliveries: the account proves nothing", events, deliveries)
	}
}
