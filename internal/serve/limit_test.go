package serve

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// TestOneLimitForAllFronts: four places for four fronts. No front has a fifth, and who
// goes leaves a place to any of them.
func TestOneLimitForAllFronts(t *testing.T) {
	o := guarded()
	o.MaxConnections = 4
	addr := run(t, o)
	base, ada := rootOf(addr), token(t, "ada", time.Hour, map[string]any{"join": []string{"*"}})
	dial(t, addr, `{"token":"`+ada+`"}`, nil)
	connectSTOMP(t, base, ada)
	plain, _ := connectPlain(t, base, ada)
	if s, status := openStream(t, base, ada, "room"); s == nil {
		t.Fatal(status)
	}
	doors := []string{addr + "?EIO=4&transport=websocket", base + "/stomp", base + "/ws"}
	for _, door := range doors {
		if status := knock(t, door); status != http.StatusServiceUnavailable {
			t.Errorf("a fifth client at %s: %d", door, status)
		}
	}
	if _, body := call(t, base, http.MethodGet, "/sse?room=room&token="+ada, "", ""); !strings.Contains(body, "come back later") {
		t.Errorf("a fifth client, a stream: %q", body)
	}
	_ = plain.conn.CloseNow()
	for _, door := range doors {
		for deadline := time.After(time.Minute); knock(t, door) != http.StatusSwitchingProtocols; {
			select {
			case <-deadline:
				t.Fatalf("one has gone, and %s is shut", door)
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
}

// knock opens a WebSocket, and closes it. It returns the status of the answer.
func knock(t *testing.T, door string) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn, r, err := websocket.Dial(ctx, "ws://"+door, nil)
	if err == nil {
		_ = conn.CloseNow()
	}
	if r == nil {
		t.Fatal(err)
	}
	return r.StatusCode
}
