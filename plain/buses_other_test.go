//go:build !unix

package plain_test

import (
	"testing"

	"github.com/seed-09a96375/belfry"
)

// redisBuses are those that need a Redis, which the tests start on Unix only.
var redisBuses map[string]func(t testing.TB) func() belfry.Bus
