// Package chaostest breaks links between nodes and Redis and counts every message.
// It is a module of its own, because the proxy that it needs brings many others
// with it. `make chaos` runs it.
package chaostest
