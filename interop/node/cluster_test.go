package node_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestPeersShareARedis has two processes of each peer act as one server: what one
// client says reaches those on the other process, and Redis is measured.
func TestPeersShareARedis(t *testing.T) {
	if _, err := exec.LookPath("redis-server"); err != nil {
		needed(t, "no redis-server: %v", err)
	}
	belfry := build(t, "../..", "./cmd/belfry")
	centrifuge := build(t, "..", "./centrifuge")
	for name, adapter := range map[string]string{
		"classic": "--adapter classic", "sharded": "--adapter sharded",
		"streams": "--adapter streams", "recovery": "--adapter streams --recovery",
	} {
		t.Run(name, func(t *testing.T) {
			server := strings.Join(node(t, "ws")("", "{port}").Args, " ") + " --redis {redis} " + adapter
			verifyShared(t, compare(t, belfry, "--server", "peer="+server))
		})
	}
	t.Run("centrifuge", func(t *testing.T) {
		server := filepath.ToSlash(centrifuge) + " -listen {addr} -redis {redis}"
		verifyShared(t, compare(t, belfry, "--protocol", "peer=centrifuge", "--server", "peer="+server))
	})
}

// shared is what this test reads of the summaries of one case.
type shared struct {
	summary

	Traffic struct {
		RedisCPU *float64 `json:"redis_cpu_per_million"`
	}
}

// compare runs the case of small rooms over two processes, at a fiftieth.
func compare(t *testing.T, program string, args ...string) []shared {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	args = append([]string{
		"bench", "compare", "--nodes", "2", "--case", "cluster-rooms", "--runs", "1",
		"--scale", "0.02", "--warmup", "200ms", "--duration", "500ms", "--json", "-",
	}, args...)
	cmd := exec.CommandContext(ctx, program, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var all struct {
		Results map[string]map[string][]shared
	}
	if jsonErr := json.Unmarshal(stdout.Bytes(), &all); err != nil || jsonErr != nil {
		t.Fatalf("%v, %v\n%s%s", err, jsonErr, stdout.Bytes(), stderr.Bytes())
	}
	return all.Results["cluster-rooms"]["peer"]
}

func verifyShared(t *testing.T, results []shared) {
	t.Helper()
	if len(results) != 1 {
		t.Fatalf("%d results, want 1", len(results))
	}
	c := results[0].Check
	if c.Expected == 0 || c.Received != c.Expected || c.Lost+c.Duplicated+c.OutOfOrder+c.Misrouted+c.Corrupt+c.Disconnected != 0 {
		t.Errorf("the checker found %+v", c)
	}
	if cpu := results[0].Traffic.RedisCPU; cpu == nil || *cpu <= 0 {
		t.Error("Redis was not measured")
	}
}
