//go:build unix

package demo

import (
	"testing"

	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/internal/kafkatest"
	"github.com/seed-09a96375/belfry/internal/postgrestest"
	"github.com/seed-09a96375/belfry/socketio/socketiotest"
)

// TestChatOverServices has a message stored by way of Redis, Kafka and PostgreSQL.
func TestChatOverServices(t *testing.T) {
	var bed kafkatest.Bed
	t.Cleanup(bed.Close)
	kafka, postgres, redis := bed.Broker(t), postgrestest.Start(t), redistest.Start(t)
	d := start(t, 2, func(o *Options) {
		o.Trucks, o.Backends = -1, -1
		o.Kafka, o.Postgres, o.Bus.URL = "kafka://"+kafka.Addr(), postgres.URL(), redis.URL()
	})
	c := socketiotest.Connect(t, socketiotest.Options{URL: d.urls[1]})
	c.Ask("join", map[string]string{"name": "Ada"})
	if fault := c.Refusal(c.Ask("event:message", "hello")); fault != "" {
		t.Fatal(fault)
	}
	c.Next("stored")
	c.Leave()
	d.stop()
	d.rest(t)
}
