//go:build unix

package main_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

// nodes starts nodes that share a Redis.
func nodes(t *testing.T, n int, args ...string) (all []*process, urls []string) {
	t.Helper()
	r := redistest.Start(t)
	for i := range n {
		p := serve(t, append([]string{"--redis", r.URL(), "--open", "--node", fmt.Sprint("node-", i+1)}, args...)...)
		all, urls = append(all, p), append(urls, p.url)
	}
	return all, urls
}

func TestNodesActAsOne(t *testing.T) {
	_, urls := nodes(t, 2)
	here, there := join(t, urls[0], "room"), join(t, urls[1], "elsewhere")
	for _, data := range []any{"text", 7, map[string]string{"a": "b"}} {
		if ack, err := there.ask(within(t), "publish", "room", "news", data); err != nil || ack != "[]" {
			t.Fatalf("publish is answered with %s %v", ack, err)
		}
		e, err := here.next(within(t))
		if err != nil || e.name != "news" || len(e.args) != 1 {
			t.Fatalf("got %s %s %v", e.name, e.args, err)
		}
	}
	if ack, err := here.ask(within(t), "leave", "room"); err != nil || ack != "[]" {
		t.Fatalf("leave is answered with %s %v", ack, err)
	}
	for _, room := range []string{"room", "elsewhere"} {
		if _, err := there.ask(within(t), "publish", room, "news", room); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := here.ask(within(t), "join", "elsewhere"); err != nil {
		t.Fatal(err)
	}
	if _, err := there.ask(within(t), "publish", "elsewhere", "last", nil); err != nil {
		t.Fatal(err)
	}
	if e, err := here.next(within(t)); err != nil || e.name != "last" {
		t.Errorf("got %s %s %v, want what was published after the room was left and the other joined", e.name, e.args, err)
	}
}

func TestBenchServersActAsOne(t *testing.T) {
	r := redistest.Start(t)
	var urls []string
	for range 2 {
		p := launch(t, "bench", "server", "--listen", "127.0.0.1:0", "--redis", r.URL())
		p.listening()
		urls = append(urls, p.url)
		p.waitReady(true, "")
	}
	here, there := join(t, urls[0], "room"), join(t, urls[1], "room")
	if err := there.write(within(t), `42["say","room","hello"]`); err != nil {
		t.Fatal(err)
	}
	if e, err := here.next(within(t)); err != nil || e.name != "msg" || string(e.args[0]) != `"hello"` {
		t.Errorf("got %s %s %v", e.name, e.args, err)
	}
}

// TestDrain stops a node under load: its clients move to the others and miss
// nothing.
func TestDrain(t *testing.T) {
	all, urls := nodes(t, 3, "--drain", "2s", "--drain-delay", "200ms")
	faults, moves := end(t, syscall.SIGTERM, all, urls)
	mustBeWhole(t, faults, moves)
	if got := all[0].exit(); got != "exit status 0" {
		t.Errorf("the drained node ended with %s, want exit status 0", got)
	}
}

// TestKill is the same without any warning.
func TestKill(t *testing.T) {
	all, urls := nodes(t, 3)
	faults, moves := end(t, syscall.SIGKILL, all, urls)
	mustBeWhole(t, faults, moves)
}

// TestDrainWithoutRecovery is the control: it must see what is lost.
func TestDrainWithoutRecovery(t *testing.T) {
	all, urls := nodes(t, 3, "--drain", "500ms", "--drain-delay", "0s", "--recovery", "0")
	if faults, _ := end(t, syscall.SIGTERM, all, urls); len(faults) == 0 {
		t.Error("nothing was noticed, though clients do not recover")
	}
}

func mustBeWhole(t *testing.T, faults []string, moves int) {
	t.Helper()
	if len(faults) > 0 {
		t.Errorf("clients have %d faults: %s", len(faults), strings.Join(faults[:min(len(faults), 10)], "; "))
	}
	if moves < moving {
		t.Errorf("clients moved %d times, want %d", moves, moving)
	}
}

const (
	moving  = 40 // clients of the node that is drained
	staying = 10
	events  = 2000 // at the least
)

// end sends the first node a signal that ends it while events are published on the
// last.
func end(t *testing.T, signal syscall.Signal, all []*process, urls []string) (faults []string, moves int) {
	t.Helper()
	var (
		mu      sync.Mutex
		reading sync.WaitGroup
	)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for i := range moving + staying {
		at := 0
		if i >= moving {
			at = 1
		}
		c := join(t, urls[at], "room")
		reading.Go(func() {
			a, recoveries := c.follow(ctx, urls)
			mu.Lock()
			defer mu.Unlock()
			moves += recoveries
			for _, f := range a.faults {
				faults = append(faults, fmt.Sprintf("client %d: %s", i, f))
			}
		})
	}
	publish(ctx, t, urls[2], all[0].running, func() { all[0].signal(signal) })
	reading.Wait()
	return faults, moves
}

// publish publishes events, of which the last is called "end", as long as there is
// reason to. After a tenth of them it calls then.
func publish(ctx context.Context, t *testing.T, url string, reason func() bool, then func()) {
	t.Helper()
	c := join(t, url, "elsewhere")
	pace := time.NewTicker(time.Millisecond)
	defer pace.Stop()
	say := func(name string, number int) {
		if ack, err := c.ask(ctx, "publish", "room", name, number); err != nil || ack != "[]" {
			t.Fatalf("publish %d is answered with %s %v", number, ack, err)
		}
	}
	number := 1
	for ; number < events || reason(); number++ {
		if number == events/10 {
			then()
		}
		say("n", number)
		<-pace.C
	}
	say("end", number)
}

func TestDrainTellsLoadBalancersFirst(t *testing.T) {
	t.Parallel()
	all, urls := nodes(t, 1, "--drain", "1h", "--drain-delay", "5s")
	join(t, urls[0], "room")
	all[0].signal(syscall.SIGTERM)
	all[0].waitFor("msg=\"stopping")
	if h, _ := all[0].waitReady(false, "stopping"); h.status != http.StatusServiceUnavailable {
		t.Errorf("status is %d, want 503", h.status)
	}
	all[0].waitReady(false, "draining")
	var live struct{ Live bool }
	if status, err := get(within(t), urls[0]+"/healthz/live", &live); err != nil || status != http.StatusOK || !live.Live {
		t.Errorf("live is %d %+v %v", status, live, err)
	}
	var refused struct{ Message string }
	status, err := get(within(t), urls[0]+"/socket.io/?EIO=4&transport=polling", &refused)
	if err != nil || status != http.StatusServiceUnavailable {
		t.Errorf("a new client gets %d %+v %v, want 503", status, refused, err)
	}
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	all, urls := nodes(t, 1, "--drain", "1h", "--drain-delay", "0s")
	join(t, urls[0], "room")
	join(t, urls[0], "room") // the first one is moved at once
	all[0].signal(syscall.SIGTERM)
	all[0].waitFor("msg=draining .*left=1")
	all[0].signal(syscall.SIGTERM)
	if got := all[0].exit(); got != "signal: terminated" {
		t.Errorf("ended with %s", got)
	}
}

// TestRestartUnderTheSameName: the lease of the node that was killed has to run
// out first.
func TestRestartUnderTheSameName(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t)
	args := []string{"--redis", r.URL(), "--node", "the-one"}
	first := serve(t, args...)
	first.signal(syscall.SIGKILL)
	first.exit()
	second := launch(t, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	second.listening()
	second.waitFor("cannot join the cluster yet")
	if h, err := second.ready(); err != nil || h.Ready || len(h.Reasons) != 1 || h.Reasons[0] != "starting" {
		t.Errorf("ready is %+v %v, want that it is starting", h, err)
	}
	second.waitReady(true, "")
	second.signal(syscall.SIGINT)
	if got := second.exit(); got != "exit status 0" {
		t.Errorf("ended with %s", got)
	}
}

// TestDemosActAsOne: people who are in the chats of two demos see each other.
func TestDemosActAsOne(t *testing.T) {
	r := redistest.Start(t)
	var all []*client
	for _, name := range []string{"Ada", "Grace"} {
		p := launch(t, "demo", "--listen", "127.0.0.1:0", "--nodes", "2", "--redis", r.URL())
		p.listening()
		p.waitReady(true, "")
		c := &client{}
		if _, _, err := c.connect(within(t), p.url); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.ws.CloseNow() })
		if err := c.write(within(t), fmt.Sprintf(`42["join",{"name":%q}]`, name)); err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	for _, c := range all {
		for people := ""; !strings.Contains(people, "Ada") || !strings.Contains(people, "Grace"); {
			e, err := c.next(within(t))
			if err != nil {
				t.Fatalf("%v; the last list of people is %s", err, people)
			}
			if e.name == "people" {
				people = string(e.args[0])
			}
		}
	}
}
