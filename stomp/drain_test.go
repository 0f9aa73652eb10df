package stomp_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/seed-09a96375/belfry/stomp"
)

func TestDrain(t *testing.T) {
	n := newNode(t, stomp.Options{})
	var all []*client
	for range 4 {
		all = append(all, connect(t, n))
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := n.Drain(cancelled, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("a drain that was given up: %v", err)
	}
	_, r, err := websocket.Dial(t.Context(), n.url+"/stomp", nil)
	if err == nil || r == nil || r.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a new client: %v", err)
	}
	const over = 200 * time.Millisecond
	begun := time.Now()
	must(t, n.Drain(t.Context(), over))
	if took := time.Since(begun); took < over/2 {
		t.Errorf("all at once: %v", took)
	}
	for _, c := range all {
		c.wantClosed(websocket.StatusGoingAway)
	}
}
