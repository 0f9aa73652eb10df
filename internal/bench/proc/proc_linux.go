package proc

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Take measures the processes and all their descendants. Descendants that end
// meanwhile are left out; ErrGone if one of pids is not there.
func Take(pids []int) (Snapshot, error) {
	s := Snapshot{}
	for _, pid := range pids {
		if err := s.add(pid); err != nil {
			return nil, fmt.Errorf("measure process %d: %w", pid, err)
		}
	}
	return s, nil
}

// Self measures this process, without those that it started.
func Self() (Usage, error) { return usage(os.Getpid()) }

// add measures pid, then its descendants; those may end at any time.
func (s Snapshot) add(pid int) error {
	if _, known := s[pid]; known {
		return nil
	}
	u, err := usage(pid)
	if gone(err) {
		return ErrGone
	}
	if err != nil {
		return err
	}
	s[pid] = u
	for _, child := range children(pid) {
		if err := s.add(child); err != nil && !errors.Is(err, ErrGone) {
			return err
		}
	}
	return nil
}

// gone reports whether the kernel does not know the process (any more); its CPU
// clock is then an invalid one.
func gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) || errors.Is(err, unix.EINVAL)
}

func usage(pid int) (Usage, error) {
	cpu, err := cpuTime(pid)
	if err != nil {
		return Usage{}, err
	}
	rss, err := rss(pid)
	return Usage{CPU: cpu, RSS: rss}, err
}

// cpuTime reads the CPU clock of the whole process: the sum that
// /proc/PID/stat shows in ticks of 10 ms, in nanoseconds. See
// clock_getcpuclockid(3) for the id.
func cpuTime(pid int) (int64, error) {
	const schedClock = 2 // CPUCLOCK_SCHED: time on a CPU, user and kernel
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|schedClock), &ts); err != nil {
		return 0, err
	}
	return ts.Nano(), nil
}

// rss reads the exact count if the kernel lets us, else the one that may be off
// by some 100 KB per thread.
func rss(pid int) (int64, error) {
	if n, err := rollup(pid); err == nil {
		return n, nil
	}
	b, err := os.ReadFile(path(pid, "statm"))
	if err != nil {
		return 0, err
	}
	f := strings.Fields(string(b))
	if len(f) < 2 {
		return 0, fmt.Errorf("unexpected statm %q", b)
	}
	pages, err := strconv.ParseInt(f[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}

func rollup(pid int) (int64, error) {
	b, err := os.ReadFile(path(pid, "smaps_rollup"))
	if err != nil {
		return 0, err
	}
	kb, err := field(b, "Rss:")
	return kb << 10, err
}

// field returns the number behind a key of a /proc file of lines.
func field(b []byte, key string) (int64, error) {
	for line := range bytes.Lines(b) {
		if f := strings.Fields(string(line)); len(f) > 1 && f[0] == key {
			return strconv.ParseInt(f[1], 10, 64)
		}
	}
	return 0, fmt.Errorf("no %s", key)
}

// children lists the processes that pid started, whichever of its threads did.
func children(pid int) []int {
	lists, err := filepath.Glob(path(pid, "task/*/children"))
	if err != nil {
		return nil
	}
	var pids []int
	for _, list := range lists {
		b, err := os.ReadFile(list)
		if err != nil {
			continue // the thread ended
		}
		for f := range strings.FieldsSeq(string(b)) {
			if child, err := strconv.Atoi(f); err == nil {
				pids = append(pids, child)
			}
		}
	}
	return pids
}

func path(pid int, file string) string {
	return filepath.Join("/proc", strconv.Itoa(pid), file)
}
