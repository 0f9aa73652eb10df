package bench

import (
	"context"
	"fmt"
	"net"
	"net/url"

	"github.com/seed-09a96375/belfry/internal/bench/dialect"
	"github.com/seed-09a96375/belfry/internal/bench/worker"
)

// resolve turns the URLs of servers into addresses.
func resolve(ctx context.Context, urls []string, protocol dialect.Name) ([]worker.Target, error) {
	targets := make([]worker.Target, len(urls))
	for i, raw := range urls {
		t, err := resolveOne(ctx, raw, protocol)
		if err != nil {
			return nil, err
		}
		targets[i] = t
	}
	return targets, nil
}

func resolveOne(ctx context.Context, raw string, protocol dialect.Name) (worker.Target, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return worker.Target{}, fmt.Errorf("url %q: want http://host:port: %w", raw, err)
	case u.Scheme == "https" || u.Scheme == "wss":
		return worker.Target{}, &worker.Fault{
			Text:   fmt.Sprintf("url %q: TLS is not supported", raw),
			Advice: "measure the server behind its TLS proxy: http:// or ws://",
		}
	case u.Scheme != "http" && u.Scheme != "ws", u.Hostname() == "":
		return worker.Target{}, fmt.Errorf("url %q: want http://host:port", raw)
	}
	port := u.Port()
	if port == "" {
		port = "80"
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil {
		return worker.Target{}, fmt.Errorf("url %q: %w", raw, err)
	}
	return worker.Target{
		Addr: net.JoinHostPort(ips[0].Unmap().String(), port),
		Host: u.Host,
		Path: protocol.Target(u.Path),
	}, nil
}
