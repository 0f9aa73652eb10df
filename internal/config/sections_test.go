package config_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/seed-09a96375/belfry/internal/config"
)

// TestFaultsOfTheFrontsHaveTheirPlaces: fronts, queues, topics and the archive.
func TestFaultsOfTheFrontsHaveTheirPlaces(t *testing.T) {
	f := files{name: strings.TrimPrefix(`
stomp: {path: stomp, subscriptions: -1, unacked: x}
plain: {websocket: /ws/, events: /sse, evnts: /x}
api: {body: -1, batch: -1}
limits: {connections: many}
kafka: {url: "http://10.0.0.1"}
archive: {sqlite: a.db, postgres: "postgres://s3cret@10.0.0.1/x", delay: -1s}
queues:
  - {name: a, window: -1s}
  - {name: a, alarm: {age: never}}
routes:
  - {event: a, kafka_topic: "a b", reply: true}
  - {event: b, archive: true, queue: a}
  - {event: c, archiv: true}
sources:
  - {name: s, kafka_topic: T, field: x, all: true}
`, "\n")}
	_, err := load(t, f, nil)
	var faults config.Faults
	if !errors.As(err, &faults) {
		t.Fatal(err)
	}
	compare(t, faults, []string{
		`/etc/belfry.yaml:1:15: stomp.path is "stomp": must begin with a slash`,
		`/etc/belfry.yaml:1:37: stomp.subscriptions is -1: must be positive`,
		`/etc/belfry.yaml:1:50: stomp.unacked is "x": must be a whole number`,
		`/etc/belfry.yaml:2:20: plain.websocket is "/ws/": must begin with a slash, and not end with one`,
		`/etc/belfry.yaml:2:40: plain.evnts is not a setting: did you mean plain.events?`,
		`/etc/belfry.yaml:3:13: api.body is "-1": must be a size`,
		`/etc/belfry.yaml:3:24: api.batch is -1: must be positive`,
		`/etc/belfry.yaml:4:23: limits.connections is "many": must be a whole number`,
		`/etc/belfry.yaml:5:14: kafka.url cannot be used: the scheme of the URL is "http"`,
		`/etc/belfry.yaml:6:35: archive.postgres is given together with SQLite`,
		`/etc/belfry.yaml:6:74: archive.delay is -1s: must not be negative`,
		`/etc/belfry.yaml:8:5: queues[0] needs a Redis`,
		`/etc/belfry.yaml:9:12: queues[1].name is "a": must be a name that no other queue has`,
		`/etc/belfry.yaml:9:28: queues[1].alarm.age is "never": must be a duration`,
		`/etc/belfry.yaml:11:29: routes[0].kafka_topic is "a b": must be 1 to 249`,
		`/etc/belfry.yaml:11:43: routes[0].reply is true: only a queue or a webhook has answers`,
		`/etc/belfry.yaml:12:25: routes[1].archive is true: only what is sent to rooms has a past`,
		`/etc/belfry.yaml:13:16: routes[2].archiv is not a setting: did you mean routes[2].archive?`,
		`/etc/belfry.yaml:15:38: sources[0].field is "x": only a stream has fields`,
	})
	if strings.Contains(err.Error(), "s3cret") {
		t.Error("it shows the secret")
	}
}
