package bench

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/internal/bench/check"
	"github.com/seed-09a96375/belfry/internal/bench/proc"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares got with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

func number(v float64) *float64 { return &v }

// full is a result with all its parts.
func full() *Result {
	latency := Latency{Count: 10, Mean: 1.5, P50: 1, P99: 9.25, P999: 10, Max: 11}
	work := &RedisWork{CPU: 0.25, Commands: map[string]int64{"evalsha": 100, "publish": 100}}
	traffic := Traffic{
		Seconds: 10, Window: 4, Sent: 100, Deliveries: 100_000, PerSecond: 10_000, Latency: latency,
		BehindMS: 0.5, Stalls: 1, ServerCPU: number(1.37), PerMillion: number(13.7),
		Redis: work, RedisPerMillion: number(2.5), RoundTrip: &latency, GeneratorCPU: 0.25, OthersCPU: 0.02,
	}
	return &Result{
		Mode: Fanout, Protocol: "socketio", URLs: []string{"http://127.0.0.1:3000"},
		Started: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC), Partial: true,
		Clients: 1000, Rooms: 1, Publishers: 1, Rate: 10, Size: 128, DrainMS: 3, Apart: true,
		Connect: Connect{
			Clients: 1000, Seconds: 0.5, PerSecond: 2000, Latency: latency,
			ServerCPU: number(0.4), Per1000: number(0.4),
		},
		Hold:    &Hold{Seconds: 30, ServerCPU: number(0.9)},
		Traffic: &traffic,
		Steps:   []Traffic{traffic},
		Return: &Returned{
			Clients: 500, Back: 499, Recovered: 498, BackSeconds: 1.5, Seconds: 1.75, Latency: latency,
			Redis: work, CommandsPerClient: number(0.4),
		},
		Redis:     &RedisMemory{Before: 1 << 20, End: 3 << 20, RSS: 8 << 20, PerClient: 2097.152},
		Check:     check.Tally{Expected: 100_000, Received: 99_999, Lost: 1, Duplicated: 2, OutOfOrder: 3, Misrouted: 4, Corrupt: 5, Disconnected: 6},
		Memory:    &Memory{Before: 50 << 20, Connected: 60 << 20, End: 70 << 20, PerClient: 20971.52},
		Generator: Generator{Workers: 1, CPU: 0.75, RSS: 10 << 20},
	}
}

// TestResultJSONIsStable fails when a field of the summary is renamed or lost.
func TestResultJSONIsStable(t *testing.T) {
	var b bytes.Buffer
	if err := writeJSON(&b, full()); err != nil {
		t.Fatal(err)
	}
	golden(t, "result.json", b.Bytes())
}

func TestSummaryText(t *testing.T) {
	var b bytes.Buffer
	if err := writeText(&b, full()); err != nil {
		t.Fatal(err)
	}
	golden(t, "summary.txt", b.Bytes())
}

func TestComparisonTable(t *testing.T) {
	c := &comparison{}
	err := c.prepare([]string{"a=a {addr}", "b=b {port}"}, nil, []string{"idle", "fanout-1k", "saturate-1k"})
	if err != nil {
		t.Fatal(err)
	}
	c.Runs, c.Scale = 3, 0.5
	c.Machine = proc.Machine{CPU: "A CPU", Cores: 2, Memory: 24 << 30, Kernel: "Linux 6", Go: "go1.26"}
	c.Started = full().Started
	of := func(v ...float64) (all []*Result) {
		for _, v := range v {
			r := full()
			r.Traffic.PerMillion, r.Traffic.PerSecond = number(v), v*1000
			all = append(all, r)
		}
		return all
	}
	c.Results = map[string]map[string][]*Result{
		"idle":        {"a": of(1), "b": of(2)},
		"fanout-1k":   {"floor": of(5, 6, 4), "a": of(10, 12, 11), "b": of(8, 9)},
		"saturate-1k": {"a": of(1)},
	}
	c.Results["saturate-1k"]["a"][0].Traffic.OthersCPU = 0.25
	c.Results["fanout-1k"]["b"][0].Traffic.BehindMS = 1200
	c.Failures = []string{"saturate-1k, b: refused\nthe server wrote: no"}
	var b bytes.Buffer
	if err := c.writeTable(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "comparison.md", b.Bytes())
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		in   []float64
		want float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{3, 1}, 2}, {[]float64{9, 1, 2}, 2}} {
		if got := median(c.in); got != c.want {
			t.Errorf("median of %v is %v, want %v", c.in, got, c.want)
		}
	}
}

func TestThousands(t *testing.T) {
	for in, want := range map[float64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567", 12.6: "13"} {
		if got := thousands(in); got != want {
			t.Errorf("%v is written %s, want %s", in, got, want)
		}
	}
}

func TestPrepareRefuses(t *testing.T) {
	for want, servers := range map[string][]string{
		"at least one --server":     nil,
		"want name=command":         {"node server.js"},
		"want {addr} or {port}":     {"node=node server.js"},
		"the name is taken":         {"floor=x {addr}"},
		`unknown protocol "mumble"`: {"m=x {addr}"},
	} {
		c := &comparison{Comparison: Comparison{Runs: 1, Scale: 1}}
		err := c.prepare(servers, map[string]string{"m": "mumble"}, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %q", servers, err, want)
		}
	}
	c := &comparison{Comparison: Comparison{Runs: 1, Scale: 1}}
	if err := c.prepare([]string{"a={addr}"}, nil, []string{"nap"}); err == nil || !strings.Contains(err.Error(), "idle-19k") {
		t.Errorf("got %v, want the names of the cases", err)
	}
}
