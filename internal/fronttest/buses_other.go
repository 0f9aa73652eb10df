//go:build !unix

package fronttest

// addRedis adds none: tests start Redis on Unix only.
func addRedis(map[string]Begin) {}
