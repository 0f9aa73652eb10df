//go:build unix

package serve

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/internal/history"
)

// TestArchiveOfTwoNodes: each event is sent to both nodes, with one id. The past has it
// once, whichever node is asked.
func TestArchiveOfTwoNodes(t *testing.T) {
	const n = 50
	redis := redistest.Start(t)
	o := archived(filepath.Join(t.TempDir(), "past.db"))
	o.Bus.URL, o.Bus.Interest, o.Archive.Delay = redis.URL(), true, 100*time.Millisecond
	ada := token(t, "ada", time.Hour, map[string]any{"publish": []string{"room"}})
	var nodes []string
	var peers []*peer
	for range 2 {
		addr := run(t, o)
		nodes = append(nodes, rootOf(addr))
		p, _ := dial(t, addr, `{"token":"`+ada+`"}`, nil)
		peers = append(peers, p)
	}
	for i := range n {
		for _, p := range peers {
			if got := p.ask("say", map[string]any{"n": i, "id": time.Duration(i).String(), "room": "room"}); got != "[]" {
				t.Fatal(got)
			}
		}
	}
	for _, node := range nodes {
		seen := counts{}
		for deadline := time.Now().Add(time.Minute); len(seen) < n; <-time.After(20 * time.Millisecond) {
			_, body := call(t, node, http.MethodGet, "/api/rooms/room/history?limit=1000", "", apiKey)
			var page history.Page
			if err := json.Unmarshal([]byte(body), &page); err != nil || time.Now().After(deadline) {
				t.Fatalf("%d of %d: %s %v", len(seen), n, body, err)
			}
			clear(seen)
			for _, e := range page.Entries {
				seen[said(t, e.Args)]++
			}
		}
		for _, fault := range seen.faults(n) {
			t.Error(fault)
		}
	}
}
