package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Redis is a redis-server process.
type Redis struct {
	*Process
	Addr string
}

// newRedis describes a server that writes an append-only file, as Redis comes:
// to the disk every second. Further arguments are redis-server's.
func newRedis(dir, name string, args ...string) (*Redis, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	home := filepath.Join(dir, name)
	if err := os.Mkdir(home, 0o700); err != nil {
		return nil, err
	}
	argv := append([]string{
		"redis-server", "--port", fmt.Sprint(port), "--bind", "127.0.0.1", "--dir", home,
		"--save", "", "--appendonly", "yes",
	}, args...)
	return &Redis{Process: newProcess(dir, name, argv...), Addr: address(port)}, nil
}

// Run starts the server and returns when it answers.
func (r *Redis) Run(ctx context.Context) error {
	if err := r.Start(); err != nil {
		return err
	}
	return until(ctx, r.name, func() error {
		answer, err := r.Ask(ctx, "PING")
		if err == nil && answer != "+PONG" {
			err = errors.New(answer)
		}
		return err
	})
}

// URL is what nodes connect to.
func (r *Redis) URL() string { return "redis://" + r.Addr }

// Ask sends one command over a connection of its own and returns the first line
// of the answer, as it is on the wire.
func (r *Redis) Ask(ctx context.Context, words ...string) (string, error) {
	lines, err := r.ask(ctx, 1, words...)
	return lines[0], err
}

// ask returns up to n lines of the answer, at least one.
func (r *Redis) ask(ctx context.Context, n int, words ...string) ([]string, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", r.Addr)
	if err != nil {
		return []string{""}, err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(2 * time.Second))
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(words))
	for _, w := range words {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(w), w)
	}
	if _, err := conn.Write([]byte(b.String())); err != nil {
		return []string{""}, err
	}
	var lines []string
	for in := bufio.NewScanner(conn); len(lines) < n && in.Scan(); {
		lines = append(lines, in.Text())
	}
	if len(lines) == 0 {
		return []string{""}, fmt.Errorf("%s does not answer", r.name)
	}
	return lines, nil
}
