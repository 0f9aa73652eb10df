//go:build unix

package redisconn_test

import (
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/redisconn"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestOpen(t *testing.T) {
	plain, secure := redistest.Start(t), redistest.StartTLS(t)
	for name, o := range map[string]redisconn.Options{
		"plain": {URL: plain.URL(), Name: "somebody"},
		"TLS":   {URL: secure.URL(), TLS: secure.Config},
	} {
		c, err := o.Open(t.Context())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if text, err := c.Do(t.Context(), c.B().ClientGetname().Build()).ToString(); err != nil || text == "" {
			t.Errorf("%s: the connection is called %q, %v", name, text, err)
		}
		c.Close()
	}
}

// TestFaults: errors say what is wrong, and hold no password.
func TestFaults(t *testing.T) {
	locked, port := redistest.Start(t), redistest.FreePort(t)
	locked.Must("CONFIG", "SET", "requirepass", "right")
	for want, o := range map[string]redisconn.Options{
		"URL is empty":           {},
		"URL is not redis://":    {URL: "localhost:6379/s3cret%"},
		"is not rediss://":       {URL: "redis://x", TLS: redistest.StartTLS(t).Config},
		"Timeout is 1ms":         {URL: "redis://x", Timeout: time.Millisecond},
		"redis: connect: ":       {URL: "redis://:s3cret@127.0.0.1:" + port},
		"WRONGPASS":              {URL: "redis://:s3cret@" + locked.Addr()},
		"redis: connect: NOAUTH": {URL: locked.URL()},
	} {
		c, err := o.Open(t.Context())
		if err == nil {
			c.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%+v: %v, want %q", o, err, want)
		}
	}
}
