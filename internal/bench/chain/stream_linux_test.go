package chain

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

const streamNode = `
redis:
  url: %q
sources:
  - name: bench
    redis_stream: S
    field: v
    rooms: ["room{payload.room}"]
    args: ["{payload.text}"]
`

// BenchmarkStreamToRooms has a node read entries of 200 bytes for 100 rooms that wait in
// a stream. fsync is when Redis brings what it writes to the disk.
func BenchmarkStreamToRooms(b *testing.B) {
	for _, fsync := range []string{"always", "everysec", "no file"} {
		b.Run("fsync="+strings.ReplaceAll(fsync, " ", "-"), func(b *testing.B) {
			for range b.N {
				streamToRooms(b, fsync)
			}
		})
	}
}

func streamToRooms(b *testing.B, fsync string) {
	var args []string
	if fsync != "no file" {
		args = []string{"--appendonly", "yes", "--appendfsync", fsync}
	}
	server := redistest.Start(b, args...)
	n := serve(b, fmt.Sprintf(streamNode, server.URL()))
	begun, other := time.Now(), busy(b)
	before, _ := usage(b, n.pid)
	redis := server.CPU()
	server.Must("EVAL", `for i = 1, ARGV[1] do redis.call('XADD', KEYS[1], '*', 'v', '{"room":' .. i % 100 .. ',"text":"' .. ARGV[2] .. '"}') end`,
		"1", "S", fmt.Sprint(*rows), strings.Repeat("x", 170))
	filled := server.CPU() - redis
	until(b, "all entries are published", func() bool {
		published := server.Must("GET", "belfry:{0}:seq")
		number, _, _ := strings.Cut(published, "-")
		return number == fmt.Sprint(*rows)
	})
	took := time.Since(begun)
	after, _ := usage(b, n.pid)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(*rows)/took.Seconds(), "entries/s")
	b.ReportMetric(float64((after-before).Microseconds())/float64(*rows), "node-cpu-µs/entry")
	b.ReportMetric(float64((server.CPU()-redis-filled).Microseconds())/float64(*rows), "redis-cpu-µs/entry")
	all := busy(b) - other - (after - before) - (server.CPU() - redis)
	b.ReportMetric(100*all.Seconds()/took.Seconds()/2, "others-%")
}
