//go:build unix

package server_test

import (
	"testing"

	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/internal/backplane"
	"github.com/seed-09a96375/belfry/internal/bench/server"
	"github.com/seed-09a96375/belfry/redisconn"
)

// TestQueueHasWhatIsAcked: an echo is acked when the queue has it.
func TestQueueHasWhatIsAcked(t *testing.T) {
	url := redistest.Start(t).URL()
	c := connect(t, start(t, server.Options{Bus: backplane.Options{URL: url}, Queue: "echoes"})[0])
	for range 3 {
		c.write(`427["echo",` + odd + `]`)
		c.want(`437[` + odd + `]`)
	}
	redis, err := redisconn.Options{URL: url}.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer redis.Close()
	entries, err := redis.Do(t.Context(), redis.B().Xrange().Key("belfry:queue:{echoes}").Start("-").End("+").Build()).AsXRange()
	if err != nil || len(entries) != 3 {
		t.Fatalf("entries are %v, %v", entries, err)
	}
	for _, e := range entries {
		if e.FieldValues["args"] != "["+odd+"]" || e.FieldValues["event"] != "echo" {
			t.Errorf("an entry is %v", e.FieldValues)
		}
	}
}

func TestQueueNeedsRedis(t *testing.T) {
	if err := server.Run(t.Context(), server.Options{Listen: "127.0.0.1:0", Queue: "echoes"}); err == nil {
		t.Error("Run: no error")
	}
}
