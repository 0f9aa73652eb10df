//go:build unix

package main_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

// health is an answer of /healthz/ready.
type health struct {
	status  int
	Ready   bool
	Reasons []string
}

func (p *process) ready() (h health, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	h.status, err = get(ctx, p.url+"/healthz/ready", &h)
	return h, err
}

// get decodes the JSON that is at a URL.
func get(ctx context.Context, url string, into any) (status int, err error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := client.Do(q)
	if err != nil {
		return 0, err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	return r.StatusCode, errors.Join(err, json.Unmarshal(b, into))
}

// waitReady waits for a state of readiness and returns it and how long that took.
func (p *process) waitReady(want bool, reason string) (h health, took time.Duration) {
	p.t.Helper()
	begun := time.Now()
	eventually(p.t, fmt.Sprintf("ready is %v %s", want, reason), func() bool {
		var err error
		h, err = p.ready()
		return err == nil && h.Ready == want && strings.Contains(strings.Join(h.Reasons, "; "), reason)
	})
	return h, time.Since(begun)
}

// TestReadiness breaks the bus in each way. That readiness is red within 5 s is
// measured, see the log of the test; that it becomes red is tested.
func TestReadiness(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t)
	p := newProxy(t, r.Addr())
	node := serve(t, "--redis", "redis://"+p.addr())
	for _, fault := range []struct {
		name       string
		begin, end func()
	}{
		{"redis frozen", func() { r.Signal(syscall.SIGSTOP) }, func() { r.Signal(syscall.SIGCONT) }},
		{"subscription silent", func() { p.swallow(subscriptions, true) }, func() { p.swallow(subscriptions, false) }},
		{"commands silent", func() { p.swallow(commands, true) }, func() { p.swallow(commands, false) }},
		{"redis gone", r.Kill, r.Run},
	} {
		node.waitReady(true, "")
		fault.begin()
		h, took := node.waitReady(false, "")
		t.Logf("%s: red after %v: %q", fault.name, took, h.Reasons)
		if h.status != 503 || len(h.Reasons) == 0 {
			t.Errorf("%s: %+v, want 503 and why", fault.name, h)
		}
		fault.end()
		_, took = node.waitReady(true, "")
		t.Logf("%s: green again after %v", fault.name, took)
	}
}
