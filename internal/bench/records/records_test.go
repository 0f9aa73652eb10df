package records

import (
	"bytes"
	"context"
	"encoding/json"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/seed-09a96375/belfry/internal/bench/stamp"
	"github.com/seed-09a96375/belfry/internal/bench/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestFaults: what cannot work is reported, and returned.
func TestFaults(t *testing.T) {
	setup := func(s worker.Setup) string {
		s.Timeout, s.Size, s.Plan = 300*time.Millisecond, stamp.Len, worker.Plan{Clients: 1, Rooms: 1, Publishers: 1}
		b, err := json.Marshal(worker.Order{Op: worker.OpSetup, Setup: &s})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for name, test := range map[string]struct{ orders, want string }{
		"no order":        {"", "read the first order"},
		"another order":   {`{"op":"start"}`, `want "setup"`},
		"no URL":          {setup(worker.Setup{Kafka: "http://x", Topic: "t"}), "URL"},
		"nobody is there": {setup(worker.Setup{Kafka: "kafka://127.0.0.1:1", Topic: "t"}), "no broker answers"},
	} {
		var out bytes.Buffer
		err := Run(strings.NewReader(test.orders), &out)
		var said worker.Report
		if err == nil || json.Unmarshal(out.Bytes(), &said) != nil || said.Op != worker.OpFailed || !strings.Contains(said.Fault.Text, test.want) {
			t.Errorf("%s: error %v, report %s, want %q in it", name, err, out.String(), test.want)
		}
	}
}

// TestSchedule: records are due at the rate, each room in its turn.
func TestSchedule(t *testing.T) {
	p := &producer{set: &worker.Setup{Rate: 500}}
	if first, last := p.due(1000, 0), p.due(1000, 500); first != 1000 || last != 1000+int64(time.Second) {
		t.Errorf("due at %d and %d", first, last)
	}
}

// TestItEnds: a producer that is always behind its schedule ends when it is told.
func TestItEnds(t *testing.T) {
	client, err := kgo.NewClient(kgo.SeedBrokers("127.0.0.1:1"), kgo.MaxBufferedRecords(10))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithCancel(t.Context())
	p := &producer{
		ctx: ctx, cancel: cancel, client: client, clock: stamp.NewClock(), sent: make([]uint32, 1),
		set: &worker.Setup{Rate: 1e9, Topic: "t", Plan: worker.Plan{Rooms: 1}},
	}
	if err := p.obey(worker.Order{Op: worker.OpStart, At: p.clock.Now()}, nil); err != nil {
		t.Fatal(err)
	}
	for client.BufferedProduceRecords() < 10 {
		runtime.Gosched() // until it waits for room
	}
	cancel()
	p.stop()
}
