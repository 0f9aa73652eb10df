//go:build unix

package redistest

import "testing"

// TestPortsAreApart: while nothing listens at any of them yet.
func TestPortsAreApart(t *testing.T) {
	seen := make(map[string]bool)
	for range 300 {
		port := FreePort(t)
		if seen[port] {
			t.Fatalf("port %s is given away twice", port)
		}
		seen[port] = true
	}
}
