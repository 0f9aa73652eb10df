package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
)

const (
	masterSet = "chaos"
	sentinels = 3
)

// Watched is a Redis with a replica, and Sentinels that let the replica take over.
type Watched struct {
	Master, Replica *Redis
	sentinels       []*Redis
}

// startWatched runs all of it and returns when the replica has caught up and
// every Sentinel knows it.
func startWatched(ctx context.Context, dir string) (*Watched, func(), error) {
	w := &Watched{}
	var err error
	if w.Master, err = newRedis(dir, "redis"); err != nil {
		return nil, nil, err
	}
	host, port, _ := net.SplitHostPort(w.Master.Addr)
	if w.Replica, err = newRedis(dir, "replica", "--replicaof", host+" "+port); err != nil {
		return nil, nil, err
	}
	for i := range sentinels {
		s, err := newSentinel(dir, fmt.Sprint("sentinel-", i+1), host, port)
		if err != nil {
			return nil, nil, err
		}
		w.sentinels = append(w.sentinels, s)
	}
	for _, r := range w.all() {
		if err := r.Run(ctx); err != nil {
			w.kill()
			return nil, nil, err
		}
	}
	if err := until(ctx, "sentinels", func() error { return w.ready(ctx) }); err != nil {
		w.kill()
		return nil, nil, err
	}
	return w, w.kill, nil
}

func newSentinel(dir, name, host, port string) (*Redis, error) {
	own, err := freePort()
	if err != nil {
		return nil, err
	}
	// Sentinel writes what it learns into its configuration.
	file := filepath.Join(dir, name+".conf")
	text := fmt.Sprintf(`port %d
bind 127.0.0.1
sentinel monitor %[2]s %s %s 2
sentinel down-after-milliseconds %[2]s 1000
sentinel failover-timeout %[2]s 5000
`, own, masterSet, host, port)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	return &Redis{Process: newProcess(dir, name, "redis-server", file, "--sentinel"), Addr: address(own)}, nil
}

func (w *Watched) all() []*Redis { return append([]*Redis{w.Master, w.Replica}, w.sentinels...) }

func (w *Watched) kill() {
	for _, r := range w.all() {
		r.Kill()
	}
}

// ready reports what is still missing.
func (w *Watched) ready(ctx context.Context) error {
	role, err := w.Replica.ask(ctx, 12, "ROLE")
	if err != nil || !contains(role, "connected") {
		return errors.Join(err, errors.New("the replica is not connected"))
	}
	for _, s := range w.sentinels {
		replicas, err := s.Ask(ctx, "SENTINEL", "REPLICAS", masterSet)
		if err != nil || replicas != "*1" {
			return errors.Join(err, errors.New("a Sentinel does not know the replica"))
		}
		others, err := s.Ask(ctx, "SENTINEL", "SENTINELS", masterSet)
		if err != nil || others != fmt.Sprint("*", sentinels-1) {
			return errors.Join(err, errors.New("a Sentinel does not know the others"))
		}
	}
	return nil
}

func contains(lines []string, word string) bool {
	for _, l := range lines {
		if l == word {
			return true
		}
	}
	return false
}

// URL is what nodes connect to.
func (w *Watched) URL() string {
	url := "redis://" + w.sentinels[0].Addr + "?master_set=" + masterSet
	for _, s := range w.sentinels[1:] {
		url += "&addr=" + s.Addr
	}
	return url
}

// TakenOver waits until the replica has become the master.
func (w *Watched) TakenOver(ctx context.Context) error {
	return until(ctx, "failover", func() error {
		role, err := w.Replica.ask(ctx, 3, "ROLE")
		if err == nil && !contains(role, "master") {
			err = fmt.Errorf("the replica is still one: %s", strings.Join(role, " "))
		}
		return err
	})
}
