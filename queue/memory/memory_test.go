package memory_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/seed-09a96375/belfry/queue/memory"
	"github.com/seed-09a96375/belfry/queue/queuetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t testing.TB, o memory.Options) *memory.Queue {
	t.Helper()
	q, err := memory.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestSuite(t *testing.T) {
	queuetest.Run(t, func(t *testing.T) queuetest.Queue { return open(t, memory.Options{Groups: []string{"g"}}) })
}
