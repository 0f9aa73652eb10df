//go:build unix

package redisstream_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/redisconn"
	"github.com/seed-09a96375/belfry/source/redisstream"
)

const childEnv = "BELFRY_SOURCE_CHILD"

// child is a node: what it handles it adds to the list "seen", until it is killed.
func child(url string) int {
	client, err := redisconn.Options{URL: url}.Open(context.Background())
	if err != nil {
		return 1
	}
	s, err := redisstream.New(redisstream.Options{Client: client, Stream: "S", Node: "child", Field: "v", Lease: 300 * time.Millisecond, Batch: 7})
	if err != nil {
		return 2
	}
	if s.Run(context.Background(), seeing(client)) != nil {
		return 3
	}
	return 0
}

func seeing(client rueidis.Client) func(context.Context, *belfry.Record) error {
	return func(ctx context.Context, rec *belfry.Record) error {
		return client.Do(ctx, client.B().Rpush().Key("seen").Element(string(rec.Value)).Build()).Error()
	}
}

func seen(t *testing.T, client rueidis.Client) []string {
	t.Helper()
	all, err := client.Do(t.Context(), client.B().Lrange().Key("seen").Start(0).Stop(-1).Build()).AsStrSlice()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// untilSeen waits until n different values were handled.
func untilSeen(t *testing.T, client rueidis.Client, n int) {
	t.Helper()
	for deadline := time.After(40 * time.Second); ; {
		all := seen(t, client)
		slices.Sort(all)
		if len(slices.Compact(all)) >= n {
			return
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-deadline:
			t.Fatalf("%d of %d were handled", len(slices.Compact(all)), n)
		}
	}
}

// TestNodesAreKilled: each entry is handled, in order; those that a killed node had
// not acknowledged again, by the next.
func TestNodesAreKilled(t *testing.T) {
	server := redistest.Start(t)
	client := connect(t, server)
	const n = 600
	server.Must("EVAL", "for i = 1, ARGV[1] do redis.call('XADD', KEYS[1], '*', 'v', string.format('v%04d', i)) end", "1", "S", fmt.Sprint(n))
	for i := range 3 {
		cmd := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // itself
		cmd.Env = append(os.Environ(), childEnv+"="+server.URL())
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		untilSeen(t, client, 50*(i+1))
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	run(t, open(t, redisstream.Options{Client: client, Stream: "S", Lease: 300 * time.Millisecond}), seeing(client))
	untilSeen(t, client, n)
	next := 1
	for _, v := range seen(t, client) {
		switch want := fmt.Sprintf("v%04d", next); {
		case v == want:
			next++
		case strings.Compare(v, want) > 0:
			t.Fatalf("%s came before %s", v, want)
		}
	}
	if next != n+1 {
		t.Errorf("the last in order is %d", next-1)
	}
}
