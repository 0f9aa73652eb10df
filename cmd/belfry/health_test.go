//go:build unix

package main_test

import (
	"syscall"
	"testing"

	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

// TestReadiness breaks the bus in each way. That readiness is red within 5 s is
// measured, see the log of the test; that it becomes red is tested.
func TestReadiness(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t)
	p := newProxy(t, r.Addr())
	node := serve(t, "--redis", "redis://"+p.addr())
	for _, fault := range []struct {
		name       string
		begin, end func()
	}{
		{"redis frozen", func() { r.Signal(syscall.SIGSTOP) }, func() { r.Signal(syscall.SIGCONT) }},
		{"subscription silent", func() { p.swallow(subscriptions, true) }, func() { p.swallow(subscriptions, false) }},
		{"commands silent", func() { p.swallow(commands, true) }, func() { p.swallow(commands, false) }},
		{"redis gone", r.Kill, r.Run},
	} {
		node.waitReady(true, "")
		fault.begin()
		h, took := node.waitReady(false, "")
		t.Logf("%s: red after %v: %q", fault.name, took, h.Reasons)
		if h.status != 503 || len(h.Reasons) == 0 {
			t.Errorf("%s: %+v, want 503 and why", fault.name, h)
		}
		fault.end()
		_, took = node.waitReady(true, "")
		t.Logf("%s: green again after %v", fault.name, took)
	}
}
