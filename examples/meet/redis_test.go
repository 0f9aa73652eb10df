//go:build unix

package meet_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/examples/meet"
	"github.com/seed-09a96375/belfry/socketio"
)

func addRedis(all map[string]func(t *testing.T) func() belfry.Bus) {
	all["redis"] = func(t *testing.T) func() belfry.Bus {
		server := redistest.Start(t)
		return func() belfry.Bus { return redisBus(t, server.URL()) }
	}
}

func redisBus(t *testing.T, url string) belfry.Bus {
	t.Helper()
	b, err := redis.New(t.Context(), redis.Options{URL: url, Interest: true, Lease: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// window is how long clients may be away in the tests that wait for that.
const window = 500 * time.Millisecond

func node(t *testing.T, redisURL string) string {
	t.Helper()
	return serve(t, socketio.Options{
		Bus: redisBus(t, redisURL), Recovery: &socketio.Recovery{MaxDisconnection: window},
	}, meet.Options{})
}

// nodeEnv makes TestNode the node that TestKilledNode kills.
const nodeEnv = "MEET_TEST_NODE_REDIS"

// TestNode is a process of its own. It prints its address and serves until its
// input ends.
func TestNode(t *testing.T) {
	url := os.Getenv(nodeEnv)
	if url == "" {
		t.Skip("it is run by TestKilledNode")
	}
	fmt.Println(node(t, url))
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// TestKilledNode is weakness 4 again: the people of a node that crashed stayed
// for ever. Those who are left are told once, and can share.
func TestKilledNode(t *testing.T) {
	server := redistest.Start(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestNode$")
	cmd.Env = append(os.Environ(), nodeEnv+"="+server.URL())
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	killed := false
	kill := func() {
		if !killed {
			killed = true
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	}
	t.Cleanup(kill)
	third, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the node does not start: %v", err)
	}

	ada, grace := join(t, node(t, server.URL()), "r", "ada"), join(t, node(t, server.URL()), "r", "grace")
	edsger := join(t, strings.TrimSpace(third), "r", "edsger")
	edsger.must("start-sharing", "r", "edsger")
	for _, c := range []*client{ada, grace} {
		c.waitUsers("ada", "edsger", "grace")
		c.Rewind()
		c.waitSharer("edsger")
	}
	heard := []int{len(ada.Heard), len(grace.Heard)}
	kill()
	for i, c := range []*client{ada, grace} {
		c.waitUsers("ada", "grace")
		want := []string{"user-left edsger", "room-users-updated", "room-stats-updated"}
		if got := c.names(heard[i]); !slices.Equal(gone(got), want) {
			t.Errorf("client %d hears %v, want %v", i, got, want)
		}
	}
	grace.must("start-sharing", "r", "grace")
	ada.waitSharer("grace")
}

// gone leaves out that the share has ended: it may be told in one with the leave.
func gone(names []string) []string {
	if i := slices.Index(names, "user-stopped-sharing edsger"); i >= 0 {
		return slices.Delete(names, i, i+3)
	}
	return names
}

// TestRedisAway is weakness 12: without Redis the rooms looked empty.
func TestRedisAway(t *testing.T) {
	server := redistest.Start(t, "--appendonly", "yes")
	url := node(t, server.URL())
	ada := join(t, url, "r", "ada")
	server.Stop()
	for _, path := range []string{"/api/rooms", "/api/room/r/stats"} {
		if status, body := get(t, url+path); status != http.StatusServiceUnavailable || !strings.Contains(body, `"error"`) {
			t.Errorf("%s is %d %s, want 503", path, status, body)
		}
	}
	for event, room := range map[string]string{"start-sharing": "r", "join-room": "other"} {
		if problem := ada.ask(event, room, "ada"); problem != "the server cannot do that now: try again" {
			t.Errorf("%s without Redis is answered with %q", event, problem)
		}
	}
	server.Run()
	for ada.ask("start-sharing", "r", "ada") != "" {
		// until the node has found it again
	}
	ada.waitSharer("ada")
}
