//go:build unix

// Package kafkatest runs a Kafka broker for tests: the real one, a single node
// without ZooKeeper, on free ports of the loopback interface and in a folder of its
// own. scripts/install fetches it.
package kafkatest

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
)

// Bed is a broker that the tests of a package share: it takes seconds to start. The
// zero value is ready for use.
type Bed struct {
	once   sync.Once
	broker *Broker
	err    error
}

// Broker returns the broker, started by the first call. Without Java, or the
// broker's files, the test is skipped, or fails if BELFRY_REQUIRE is "all".
func (b *Bed) Broker(t testing.TB) *Broker {
	t.Helper()
	require(t)
	b.once.Do(func() {
		b.err = errors.New("the broker did not start: see the test that was the first to ask for it")
		b.broker, b.err = start()
	})
	if b.err != nil {
		t.Fatal(b.err)
	}
	return b.broker
}

// Close ends the broker, for TestMain.
func (b *Bed) Close() {
	if b.broker != nil {
		b.broker.Close()
	}
}

func start() (*Broker, error) {
	b, err := New("") // the folder of t would end with t
	if err != nil {
		return nil, err
	}
	if err := b.Run(); err != nil {
		err = fmt.Errorf("%w\n%s", err, b.Log())
		b.Close()
		return nil, err
	}
	return b, nil
}

// require sees to it that there is a broker to run.
func require(t testing.TB) {
	t.Helper()
	_, err := libraries()
	switch {
	case err == nil:
	case os.Getenv("BELFRY_REQUIRE") == "all":
		t.Fatal(err)
	default:
		t.Skip(err)
	}
}
