// Command server is the contract server on Belfry: see the README of this
// module for the contract.
//
//	server PROFILES.json [REDIS-URL]
//
// With the URL of a Redis, clusters are joined over it, else in memory.
// It prints one JSON line, profile name to base URL, once every profile listens,
// and ends when its standard input ends.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) (err error) {
	if len(args) != 1 && len(args) != 2 {
		return errors.New("usage: server PROFILES.json [REDIS-URL]")
	}
	profiles, err := readProfiles(args[0])
	if err != nil {
		return err
	}
	world := newWorld(strings.Join(args[1:], ""))
	defer func() { err = errors.Join(err, world.close()) }()
	urls := make(map[string]string)
	for _, p := range profiles {
		if urls[p.Name], err = world.open(p); err != nil {
			return fmt.Errorf("profile %s: %w", p.Name, err)
		}
	}
	if err := json.NewEncoder(out).Encode(urls); err != nil {
		return fmt.Errorf("print addresses: %w", err)
	}
	_, err = io.Copy(io.Discard, in)
	return err
}

// closer is a server below HTTP.
type closer interface {
	http.Handler
	Close(ctx context.Context) error
}

// open serves a profile on a free port.
func (w *world) open(p profile) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("listen: %w", err)
	}
	url := "http://" + l.Addr().String()
	server, err := w.server(p, url+p.path())
	if err != nil {
		return "", errors.Join(err, l.Close())
	}
	w.servers = append(w.servers, server)
	front := &http.Server{Handler: mount(p.path(), server), ReadHeaderTimeout: 10 * time.Second}
	w.fronts = append(w.fronts, front)
	go func() { _ = front.Serve(l) }() // ends with Close
	return url, nil
}

// mount serves h at the path and everything below it, and that it is ready, and
// nothing else.
func mount(path string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/healthz/ready" {
			return // 200
		}
		if len(r.URL.Path) < len(path) || r.URL.Path[:len(path)] != path {
			http.NotFound(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// close ends all servers at the same time. Clients that do not take leave keep
// theirs waiting: the time bounds that, and it is no error.
func (w *world) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	errs := make([]error, len(w.servers))
	var wg sync.WaitGroup
	for i, s := range w.servers {
		wg.Go(func() {
			if err := s.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
				errs[i] = err
			}
		})
	}
	wg.Wait()
	for _, f := range w.fronts {
		errs = append(errs, f.Close())
	}
	for _, b := range w.buses {
		b.Close()
	}
	return errors.Join(errs...)
}
