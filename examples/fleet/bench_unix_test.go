//go:build unix

package fleet_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/seed-09a96375/belfry/examples/fleet"
)

// benchEnv makes TestBenchNode the node that BenchmarkFleet measures.
const benchEnv = "FLEET_TEST_BENCH"

// What the issue asks for.
const (
	benchTrucks     = 10_000 // each says something every second
	benchDashboards = 200
	benchWatched    = 50 // trucks of each dashboard
)

// use is what a process has used so far.
type use struct {
	CPU   time.Duration
	MaxMB int64 // memory, at most
}

// TestBenchNode is a process of its own: trucks, rules and dashboards on one node. It
// prints its address and a token, and for each line of its input what it has used.
func TestBenchNode(t *testing.T) {
	if os.Getenv(benchEnv) == "" {
		t.Skip("it is run by BenchmarkFleet")
	}
	n := cluster(t, 1, shared{})[0]
	sim, err := fleet.NewSimulator(fleet.SimulatorOptions{Trucks: benchTrucks, Seed: 1, Incidents: 30})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var driving sync.WaitGroup
	driving.Go(func() { sim.Run(ctx, n.Take, slog.Default()) })
	out := json.NewEncoder(os.Stdout)
	must(t, out.Encode([]string{n.url, n.token("manager")}))
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var r syscall.Rusage
		must(t, syscall.Getrusage(syscall.RUSAGE_SELF, &r))
		must(t, out.Encode(use{time.Duration(r.Utime.Nano() + r.Stime.Nano()), r.Maxrss >> 10}))
	}
	stop()
	driving.Wait()
}

// benchNode is that process, seen from outside.
type benchNode struct {
	url, token string
	b          *testing.B
	in         io.WriteCloser
	out        *bufio.Reader
}

func startBenchNode(b *testing.B) *benchNode {
	b.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestBenchNode$")
	cmd.Env = append(os.Environ(), benchEnv+"=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	must(b, err)
	out, err := cmd.StdoutPipe()
	must(b, err)
	must(b, cmd.Start())
	n := &benchNode{b: b, in: in, out: bufio.NewReader(out)}
	b.Cleanup(func() {
		_ = in.Close()
		_, _ = io.Copy(io.Discard, n.out)
		must(b, cmd.Wait())
	})
	var said [2]string
	n.read(&said)
	n.url, n.token = said[0], said[1]
	return n
}

func (n *benchNode) read(v any) {
	n.b.Helper()
	line, err := n.out.ReadBytes('\n')
	must(n.b, err)
	must(n.b, json.Unmarshal(line, v))
}

func (n *benchNode) use() (u use) {
	n.b.Helper()
	_, err := io.WriteString(n.in, "\n")
	must(n.b, err)
	n.read(&u)
	return u
}

// dashboardOf connects and watches its trucks.
func (n *benchNode) dashboardOf(d int) *websocket.Conn {
	n.b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, n.url+"/socket.io/?EIO=4&transport=websocket", nil)
	must(n.b, err)
	ws.SetReadLimit(1 << 20)
	trucks := make([]string, benchWatched)
	for i := range trucks {
		at := d*benchWatched + i
		trucks[i] = fmt.Sprintf("%s-%04d", fleet.Depots()[at%4], at/4+1)
	}
	watch, err := json.Marshal([]any{"watch", map[string]any{"trucks": trucks}})
	must(n.b, err)
	for _, packet := range []string{`40{"token":"` + n.token + `"}`, "420" + string(watch)} {
		must(n.b, ws.Write(ctx, websocket.MessageText, []byte(packet)))
	}
	for {
		_, text, err := ws.Read(ctx)
		must(n.b, err)
		if bytes.HasPrefix(text, []byte("430")) {
			return ws
		}
	}
}

// lags notes how old updates are when they come, until the connection ends.
func lags(ws *websocket.Conn) (all []time.Duration) {
	for {
		_, text, err := ws.Read(context.Background())
		if err != nil {
			return all
		}
		_, text, ok := bytes.Cut(text, []byte(`"timestamp":"`))
		if !ok || bytes.IndexByte(text, '"') < 0 {
			continue
		}
		at, err := time.Parse(time.RFC3339, string(text[:bytes.IndexByte(text, '"')]))
		if err == nil {
			all = append(all, time.Since(at))
		}
	}
}

// BenchmarkFleet is the figure of the whole: the readings of 10,000 trucks each second,
// and 200 dashboards that watch 50 trucks each. One iteration is a second of it: run
// it with -benchtime 30x.
func BenchmarkFleet(b *testing.B) {
	n := startBenchNode(b)
	var mu sync.Mutex
	var all []time.Duration
	var readers sync.WaitGroup
	connections := make([]*websocket.Conn, benchDashboards)
	for d := range connections {
		connections[d] = n.dashboardOf(d)
		readers.Go(func() {
			mine := lags(connections[d])
			mu.Lock()
			defer mu.Unlock()
			all = append(all, mine...)
		})
	}
	before, began := n.use(), time.Now()
	b.ResetTimer()
	for range b.N {
		<-time.After(time.Second)
	}
	b.StopTimer()
	after, took := n.use(), time.Since(began)
	for _, ws := range connections {
		_ = ws.CloseNow()
	}
	readers.Wait()
	if len(all) == 0 {
		b.Fatal("no update came")
	}
	slices.Sort(all)
	b.ReportMetric(float64(len(all))/took.Seconds(), "updates/s")
	b.ReportMetric(float64(all[len(all)/2].Milliseconds()), "p50-ms")
	b.ReportMetric(float64(all[len(all)*99/100].Milliseconds()), "p99-ms")
	b.ReportMetric((after.CPU-before.CPU).Seconds()/took.Seconds(), "cores")
	b.ReportMetric(float64(after.MaxMB), "MB")
}
