package socketio

import (
	"runtime"
	"testing"
	"time"
)

// WaitPassedOn waits until s passes n requests and WebSockets on.
func WaitPassedOn(t testing.TB, s *Server, n int) {
	t.Helper()
	for late := time.Now().Add(time.Minute); s.passedOn() != n; runtime.Gosched() {
		if time.Now().After(late) {
			t.Fatalf("%d are passed on, want %d", s.passedOn(), n)
		}
	}
}
