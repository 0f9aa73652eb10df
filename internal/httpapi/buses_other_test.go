//go:build !unix

package httpapi_test

import (
	"testing"

	"github.com/seed-09a96375/belfry"
)

// redisBuses are those that need a Redis: none here.
var redisBuses map[string]func(t *testing.T) func() belfry.Bus
