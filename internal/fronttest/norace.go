//go:build !race

package fronttest

// Race says that the race detector is there, which takes memory of its own.
const Race = false
