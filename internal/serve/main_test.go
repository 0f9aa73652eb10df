//go:build unix

package serve

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/seed-09a96375/belfry/internal/kafkatest"
)

// bed is the broker of these tests, started by the first that needs it.
var bed kafkatest.Bed

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		bed.Close()
		os.Exit(code)
	}))
}
