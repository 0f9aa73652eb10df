//go:build !linux

package floor

import (
	"io"

	"github.com/seed-09a96375/belfry/internal/bench/worker"
)

// Run needs Linux, as the clients do.
func Run(in io.Reader, out io.Writer) error { return worker.Run(in, out) }
