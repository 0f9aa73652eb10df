package cluster_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-09a96375/belfry/internal/cluster"
)

const patience = 30 * time.Second

// tally notes which nodes were stopped.
type tally struct {
	mu      sync.Mutex
	stopped []string
}

func (s *tally) node(t *testing.T, name string, h http.Handler) cluster.Node {
	t.Helper()
	all, err := cluster.Listen(t.Context(), "127.0.0.1:0", 1)
	if err != nil {
		t.Fatal(err)
	}
	return cluster.Node{Name: name, Listener: all[0], Handler: h, Stop: func(context.Context) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.stopped = append(s.stopped, name)
		return nil
	}}
}

func (s *tally) check(t *testing.T, want int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.stopped) != want {
		t.Errorf("stopped %v, want %d nodes", s.stopped, want)
	}
}

func serve(ctx context.Context, nodes ...cluster.Node) <-chan error {
	over := make(chan error, 1)
	go func() { over <- cluster.Serve(ctx, nodes) }()
	return over
}

func wait(t *testing.T, over <-chan error) error {
	t.Helper()
	select {
	case err := <-over:
		return err
	case <-time.After(patience):
		t.Fatal("Serve does not return")
		return nil
	}
}

func get(n cluster.Node) (string, error) {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	r, err := client.Get("http://" + n.Listener.Addr().String())
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	return string(b), err
}

func say(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })
}

func TestServeUntilContextEnds(t *testing.T) {
	var s tally
	a, b := s.node(t, "a", say("from a")), s.node(t, "b", say("from b"))
	ctx, cancel := context.WithCancel(t.Context())
	over := serve(ctx, a, b)
	for _, n := range []cluster.Node{a, b} {
		if got, err := get(n); err != nil || got != "from "+n.Name {
			t.Errorf("got %q, %v", got, err)
		}
	}
	cancel()
	if err := wait(t, over); err != nil {
		t.Errorf("Serve: %v", err)
	}
	s.check(t, 2)
	if c, err := net.Dial("tcp", a.Listener.Addr().String()); err == nil {
		_ = c.Close()
		t.Error("still listens")
	}
}

func TestOneThatFailsStopsAll(t *testing.T) {
	var s tally
	good, bad := s.node(t, "good", say("x")), s.node(t, "bad", say("x"))
	if err := bad.Listener.Close(); err != nil {
		t.Fatal(err)
	}
	err := wait(t, serve(t.Context(), good, bad))
	if err == nil || !strings.Contains(err.Error(), "serve bad") {
		t.Errorf("error is %v, want one that names the node", err)
	}
	s.check(t, 2)
}

func TestStopEndsRequestsUnderWay(t *testing.T) {
	release := make(chan struct{})
	begun := make(chan struct{})
	var s tally
	n := s.node(t, "a", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-release
		_, _ = io.WriteString(w, "the end")
	}))
	n.Stop = func(context.Context) error { close(release); return nil }
	ctx, cancel := context.WithCancel(t.Context())
	over := serve(ctx, n)
	answer := make(chan string, 1)
	go func() {
		got, err := get(n)
		if err != nil {
			got = err.Error()
		}
		answer <- got
	}()
	<-begun
	cancel()
	if err := wait(t, over); err != nil {
		t.Errorf("Serve: %v", err)
	}
	if got := <-answer; got != "the end" {
		t.Errorf("the request under way got %q", got)
	}
}

func TestStopErrorIsNamed(t *testing.T) {
	var s tally
	n := s.node(t, "a", say("x"))
	broken := errors.New("broken")
	n.Stop = func(context.Context) error { return broken }
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := wait(t, serve(ctx, n))
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "stop a") {
		t.Errorf("error is %v, want the one of Stop with the node's name", err)
	}
}

// silent is a listener to which nobody connects.
type silent struct{ closed chan struct{} }

func (s silent) Accept() (net.Conn, error) {
	<-s.closed
	return nil, net.ErrClosed
}

func (s silent) Close() error {
	close(s.closed)
	return nil
}

func (s silent) Addr() net.Addr { return &net.TCPAddr{} }

func TestStopIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := cluster.Node{Name: "a", Listener: silent{make(chan struct{})}, Handler: say("x"), Stop: func(ctx context.Context) error {
			<-ctx.Done() // a client that does not take leave
			return ctx.Err()
		}}
		ctx, cancel := context.WithCancel(t.Context())
		over := serve(ctx, n)
		cancel()
		since := time.Now()
		if err := <-over; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if d := time.Since(since); d != 3*time.Second {
			t.Errorf("stopping took %v, want 3s", d)
		}
	})
}
