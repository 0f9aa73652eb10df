//go:build unix

package client_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// The test binary is also the consumer that TestKilled starts and kills.
func TestMain(m *testing.M) {
	if kind := os.Getenv("BELFRY_TEST_CONSUMER"); kind != "" {
		runConsumer(kind, os.Getenv("BELFRY_TEST_REDIS"))
		return
	}
	goleak.VerifyTestMain(m)
}
