package config_test

import (
	"strings"
	"testing"
	"time"
)

const redisURL = "redis: {url: 'redis://localhost'}\n"

// TestBoundsArriveWhereTheyCount: settings of what the packages below bound.
func TestBoundsArriveWhereTheyCount(t *testing.T) {
	c, err := load(t, files{name: `
redis: {url: 'redis://localhost', id_window: 1h, wait: 1s, timeout: 3s, lease: 20s}
metrics: {listen: '127.0.0.1:9464'}
limits: {queue: 64KiB}
queues:
  - {name: q, key_window: 48h, wait: 2s, dead: -1}
webhooks:
  - {name: w, url: 'https://x', secret: MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz, reclaim: 2m, waiting: 50, answer: 1KiB}
kafka: {url: 'kafka://localhost:9092', id_window: 1m}
archive: {postgres: 'postgres://localhost/x', schema: s, table: t}
sources:
  - {name: a, redis_stream: S, key_field: k, dead: 7, all: true}
  - {name: b, kafka_topic: T, dead_topic: D, lanes: 4, all: true}
`}, nil)
	if err != nil {
		t.Fatal(err)
	}
	o := c.Serve
	for what, ok := range map[string]bool{
		"redis":   o.Bus.IDWindow == time.Hour && o.Bus.Wait == time.Second && o.Bus.Timeout == 3*time.Second && o.Bus.Lease == 20*time.Second,
		"metrics": o.Metrics.Listen == "127.0.0.1:9464",
		"limits":  o.MaxQueue == 64<<10,
		"queues":  o.Queues[0].KeyWindow == 48*time.Hour && o.Queues[0].Wait == 2*time.Second && o.Queues[0].MaxDead == -1,
		"webhook": o.Webhooks[0].ReclaimAfter == 2*time.Minute && o.Webhooks[0].Waiting == 50 && o.Webhooks[0].MaxAnswer == 1<<10,
		"kafka":   o.Kafka.Window == time.Minute,
		"archive": o.Archive.Schema == "s" && o.Archive.Table == "t",
		"stream":  o.Routes.Sources[0].KeyField == "k" && o.Routes.Sources[0].MaxDead == 7,
		"topic":   o.Routes.Sources[1].DeadTopic == "D" && o.Routes.Sources[1].Lanes == 4,
	} {
		if !ok {
			t.Errorf("%s: %+v", what, o)
		}
	}
}

// TestFaultsOfBoundsHaveAPlace: each is named by its setting, with its line.
func TestFaultsOfBoundsHaveAPlace(t *testing.T) {
	for text, want := range map[string]string{
		"redis:\n  id_window: 25h":                                                          "2:14: redis.id_window is 25h0m0s, must be from 1s to 24h",
		"redis:\n  lease: 1s":                                                               "2:10: redis.lease is 1s, must be at least 2s",
		"redis:\n  timeout: 1ms":                                                            "2:12: redis.timeout is 1ms, must be at least 100ms",
		"metrics:\n  listen: 9464":                                                          `2:11: metrics.listen is "9464": must be an address like 10.0.0.3:9464`,
		"queues:\n  - {name: q, window: 1h, key_window: 1s}":                                `queues[0].key_window is 1s, must be at least Window`,
		"kafka:\n  id_window: -1s":                                                          "2:14: kafka.id_window is -1s: must be positive",
		"archive:\n  table: x":                                                              `2:10: archive.table is "x": only a database in Postgres has it`,
		"archive:\n  postgres: postgres://h/d\n  schema: X-Y":                               "3:11: archive.schema is X-Y: must be lower case",
		"sources:\n  - {name: a, redis_channel: C, all: true, key_field: k}":                `2:55: sources[0].key_field is "k": only a stream has fields`,
		"sources:\n  - {name: a, redis_channel: C, all: true, lanes: 2}":                    "sources[0].lanes is 2: must be positive",
		"sources:\n  - {name: a, kafka_topic: T, all: true, dead: 2}":                       "sources[0].dead is 2: must be positive",
		"sources:\n  - {name: a, kafka_topic: T, all: true, dead_topic: T}":                 `sources[0].dead_topic is "T": must be another topic`,
		"webhooks:\n  - {name: w, url: 'https://x', secret: x, reclaim: 1ms}":               "webhooks[0].reclaim is 1ms: must be at least 300ms",
		"webhooks:\n  - {name: w, url: 'https://x', secret: x, waiting: 3, concurrent: 10}": "webhooks[0].waiting is 3: must be at least Concurrency",
	} {
		if !strings.HasPrefix(text, "redis:") {
			text = redisURL + text
			want = oneLater(want)
		}
		_, err := load(t, files{name: text}, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n%v\nwant %s", text, err, want)
		}
	}
}

// oneLater is a place one line further down.
func oneLater(want string) string {
	line, rest, found := strings.Cut(want, ":")
	if !found || len(line) != 1 {
		return want
	}
	return string(line[0]+1) + ":" + rest
}
