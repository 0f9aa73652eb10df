//go:build !unix

package poll

import "math"

// RaiseFileLimit returns the largest number: there is no limit to raise.
func RaiseFileLimit() (limit uint64, err error) { return math.MaxUint64, nil }
