//go:build unix

package redis

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

// childURL names the Redis of a test that is run as a node to be killed.
const childURL = "BELFRY_TEST_CHILD_URL"

// childSessions is how many sessions such a node holds.
const childSessions = 2000

// TestChild is not a test: it is a node in a process of its own.
func TestChild(t *testing.T) {
	url := os.Getenv(childURL)
	if url == "" {
		t.Skip("this is the node that other tests kill")
	}
	link, err := open(t, Options{URL: url}).Attach(t.Context(), redistest.NewLedger("child"))
	check(t, err)
	for i := range childSessions {
		check(t, link.(belfry.Sessions).Hold(t.Context(), childSession(i), time.Minute, false))
	}
	fmt.Println("holding")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var i int
		_, err := fmt.Sscan(lines.Text(), &i)
		check(t, err)
		fmt.Println(link.(belfry.Sessions).Hold(t.Context(), childSession(i), time.Minute, true))
	}
}

// child is that node.
type child struct {
	*exec.Cmd
	in  io.Writer
	out *bufio.Scanner
}

// holds lets the node store a session that it held, and returns what came of it.
func (c *child) holds(t *testing.T, i int) string {
	t.Helper()
	_, err := fmt.Fprintln(c.in, i)
	check(t, err)
	if !c.out.Scan() {
		t.Fatal("the child has ended")
	}
	return c.out.Text()
}

func childSession(i int) *belfry.Session {
	return &belfry.Session{
		ID: belfry.SessionID(fmt.Sprint("session", i)), Socket: "socket", Namespace: "/", Since: "0123abcd.a-1",
		Rooms: []belfry.Membership{{Room: "room", Since: "0123abcd.a-1"}},
	}
}

// startChild runs that node and returns when it holds its sessions.
func startChild(t *testing.T, server *redistest.Server) *child {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChild$") //nolint:gosec // itself
	cmd.Env = append(os.Environ(), childURL+"="+server.URL())
	in, err := cmd.StdinPipe()
	check(t, err)
	out, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	c := &child{cmd, in, bufio.NewScanner(out)}
	for c.out.Scan() {
		if c.out.Text() == "holding" {
			return c
		}
	}
	t.Fatal("the child has ended before it held its sessions")
	return nil
}

func takeChild(ctx context.Context, link belfry.Link, i int, silent belfry.NodeID) (*belfry.Session, error) {
	return link.(belfry.Sessions).Take(ctx, "/", childSession(i).ID, silent)
}

// TestKilledNode: what a node held that was killed is free at once, long before
// its lease runs out, and each session is taken once.
func TestKilledNode(t *testing.T) {
	server := redistest.Start(t)
	child := startChild(t, server)
	_, a := attach(t, open(t, Options{URL: server.URL(), Lease: time.Minute, Timeout: 30 * time.Second}), "a")
	_, b := attach(t, open(t, Options{URL: server.URL(), Lease: time.Minute, Timeout: 30 * time.Second}), "b")
	_, err := takeChild(t.Context(), a, 0, "")
	if held := new(belfry.HeldError); !errors.As(err, &held) || held.Owner != "child" {
		t.Fatalf("take from a node that lives: %v, want a HeldError", err)
	}
	check(t, child.Process.Kill())
	_ = child.Wait()
	begun := time.Now()
	var takers sync.WaitGroup
	errs := make(chan error, 2*childSessions)
	for i := range childSessions {
		for _, link := range []belfry.Link{a, b} {
			takers.Go(func() {
				_, err := takeChild(t.Context(), link, i, "")
				errs <- err
			})
		}
	}
	takers.Wait()
	t.Logf("%d takes took %v", cap(errs), time.Since(begun))
	got := 0
	for range cap(errs) {
		switch err := <-errs; {
		case err == nil:
			got++
		case !errors.As(err, new(*belfry.HeldError)): // the other was first
			t.Fatal(err)
		}
	}
	if got != childSessions {
		t.Errorf("%d sessions were taken of %d", got, childSessions)
	}
}

// TestFrozenNode: a node that is stopped holds what it held, until it is taken from
// it as silent. When it goes on it learns that, and what it holds still.
func TestFrozenNode(t *testing.T) {
	server := redistest.Start(t)
	child := startChild(t, server)
	_, a := attach(t, open(t, Options{URL: server.URL()}), "a")
	check(t, child.Process.Signal(syscall.SIGSTOP))
	if _, err := takeChild(t.Context(), a, 0, ""); !errors.As(err, new(*belfry.HeldError)) {
		t.Errorf("take from a node that is stopped: %v, want a HeldError", err)
	}
	_, err := takeChild(t.Context(), a, 0, "child")
	check(t, err)
	_, err = takeChild(t.Context(), a, 0, "")
	if held := new(belfry.HeldError); !errors.As(err, &held) || held.Owner != "a" {
		t.Errorf("second take: %v, want a HeldError of the node that has taken it", err)
	}
	check(t, child.Process.Signal(syscall.SIGCONT))
	if got := child.holds(t, 0); got != belfry.ErrNoSession.Error() {
		t.Errorf("the node that goes on stores what was taken from it: %s, want ErrNoSession", got)
	}
	if got := child.holds(t, 1); got != "<nil>" {
		t.Errorf("the node that goes on stores what it holds: %s", got)
	}
}

// TestSameIDAgain: a node that comes back under its id holds nothing of what it
// held in its last run, and its first message is not taken for one of that.
func TestSameIDAgain(t *testing.T) {
	server := redistest.Start(t)
	b := open(t, Options{URL: server.URL()})
	witness, w := attach(t, b, "witness")
	for i, data := range []string{"first run", "second run"} {
		link, err := b.Attach(t.Context(), redistest.NewLedger("again"))
		check(t, err)
		redistest.Publish(t, link, redistest.Message(data))
		witness.Expect(t, []string{"first run", "second run"}[:i+1]...)
		if i == 0 {
			check(t, link.(belfry.Sessions).Hold(t.Context(), childSession(0), time.Minute, false))
		} else if _, err := takeChild(t.Context(), w, 0, ""); err != nil {
			t.Errorf("take what the first run held: %v", err)
		}
		check(t, link.Close(t.Context()))
	}
}

// TestAddressesComeBack: what a node announced is there again after Redis has
// lost it.
func TestAddressesComeBack(t *testing.T) {
	server := redistest.Start(t)
	_, link := attach(t, open(t, Options{URL: server.URL()}), "a")
	d := link.(belfry.Directory)
	check(t, d.Announce(t.Context(), "http://127.0.0.1:1"))
	server.Must("HSET", "belfry:{0}:addresses", "dead", "http://127.0.0.1:2")
	server.Must("HDEL", "belfry:{0}:addresses", "a")
	deadline := time.Now().Add(10 * time.Second)
	for {
		all, err := d.Addresses(t.Context())
		check(t, err)
		if len(all) == 1 && all["a"] != "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("addresses %v", all)
		}
		<-time.After(10 * time.Millisecond)
	}
}
