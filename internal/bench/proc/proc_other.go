//go:build !linux

package proc

import "runtime"

// Take needs Linux.
func Take([]int) (Snapshot, error) { return nil, ErrUnsupported }

// Self needs Linux.
func Self() (Usage, error) { return Usage{}, ErrUnsupported }

// ThisMachine tells what the Go runtime knows.
func ThisMachine() Machine {
	return Machine{Cores: runtime.NumCPU(), Kernel: runtime.GOOS, Go: runtime.Version()}
}
