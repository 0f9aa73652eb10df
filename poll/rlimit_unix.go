//go:build unix

package poll

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// RaiseFileLimit raises the number of descriptors that the process may have as
// far as it is allowed to (RLIMIT_NOFILE, soft to hard) and returns it. Go does
// the same when a program starts; this makes sure, and tells the number. With
// an error comes the limit that holds, if it could be read.
func RaiseFileLimit() (limit uint64, err error) {
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &r); err != nil {
		return 0, fmt.Errorf("read RLIMIT_NOFILE: %w", err)
	}
	soft := uint64(r.Cur)
	if r.Cur == r.Max {
		return soft, nil
	}
	r.Cur = r.Max
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &r); err != nil {
		return soft, fmt.Errorf("raise RLIMIT_NOFILE from %d to %d: %w", soft, r.Max, err)
	}
	return uint64(r.Cur), nil
}
