// Package proc measures other processes of this machine, as Linux shows them:
// the CPU time that they used and the memory that they hold.
package proc

import "errors"

var (
	// ErrUnsupported: only Linux tells what this package asks for.
	ErrUnsupported = errors.New("processes can be measured on Linux only")
	// ErrGone: there is no such process.
	ErrGone = errors.New("no such process")
)

// Usage is what a process has used so far, user and kernel together.
type Usage struct {
	CPU int64 // nanoseconds
	RSS int64 // bytes in memory now
}

// Snapshot is the usage of several processes at one time, by process id.
type Snapshot map[int]Usage

// RSS returns the bytes that all processes hold.
func (s Snapshot) RSS() (sum int64) {
	for _, u := range s {
		sum += u.RSS
	}
	return sum
}

// CPUSince returns the nanoseconds that the processes of s used since the
// earlier snapshot; those that were not in it count from their start. What a
// process used that has ended since is not known and not counted.
func (s Snapshot) CPUSince(earlier Snapshot) (sum int64) {
	for pid, u := range s {
		sum += u.CPU - earlier[pid].CPU
	}
	return sum
}

// Machine describes the hardware and system a benchmark ran on.
type Machine struct {
	CPU    string `json:"cpu"`    // model name
	Cores  int    `json:"cores"`  // logical, as the Go runtime counts them
	Memory int64  `json:"memory"` // bytes
	Kernel string `json:"kernel"` // system name and release
	Go     string `json:"go"`     // version of the Go toolchain of this program
}
