//go:build unix

package webhook_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain runs this program as a node where childEnv asks for one.
func TestMain(m *testing.M) {
	if spec := os.Getenv(childEnv); spec != "" {
		os.Exit(child(spec))
	}
	goleak.VerifyTestMain(m)
}
