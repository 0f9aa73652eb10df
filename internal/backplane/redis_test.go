//go:build unix

package backplane_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/internal/backplane"
)

func TestRedis(t *testing.T) {
	r := redistest.Start(t)
	b, err := backplane.Open(t.Context(), backplane.Options{URL: r.URL(), Prefix: "test:", Recovery: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	b.Close()
}

func TestWhatRedisAnswersIsExplained(t *testing.T) {
	r := redistest.Start(t)
	r.Must("CONFIG", "SET", "requirepass", "right")
	for name, test := range map[string]struct{ user, err, hint string }{
		"no password":    {"", "NOAUTH", "wants a password"},
		"wrong password": {":wrong@", "WRONGPASS", "is wrong"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := backplane.Open(t.Context(), backplane.Options{URL: "redis://" + test.user + r.Addr()})
			var own *backplane.Error
			if !errors.As(err, &own) || !strings.Contains(err.Error(), test.err) || !strings.Contains(own.Hint(), test.hint) {
				t.Errorf("error is %v, want %s and the hint %q", err, test.err, test.hint)
			}
		})
	}
	_, err := backplane.Open(t.Context(), backplane.Options{URL: "rediss://" + r.Addr()})
	var own *backplane.Error
	if !errors.As(err, &own) || !strings.Contains(own.Hint(), "TLS") {
		t.Errorf("TLS to a port without: %v, want a hint about it", err)
	}
}
