//go:build !linux

package proc

import (
	"math"
	"runtime"
)

// Take needs Linux.
func Take([]int) (Snapshot, error) { return nil, ErrUnsupported }

// Self needs Linux.
func Self() (Usage, error) { return Usage{}, ErrUnsupported }

// Busy needs Linux.
func Busy() (int64, error) { return 0, ErrUnsupported }

// FileLimit is not known.
func FileLimit() int { return math.MaxInt32 }

// ThisMachine tells what the Go runtime knows.
func ThisMachine() Machine {
	return Machine{Cores: runtime.NumCPU(), Kernel: runtime.GOOS, Go: runtime.Version()}
}
