package bench

import (
	"context"
	"errors"
	"strings"

	"github.com/seed-09a96375/belfry/internal/bench/dialect"
	"github.com/seed-09a96375/belfry/internal/bench/redis"
)

// redisWord stands for the URL of a Redis in the command of a server.
const redisWord = "{redis}"

// upNodes is a server that runs: its processes, and the Redis that they share.
type upNodes struct {
	redis *redis.Server // nil if the server wants none
	nodes []*upServer
}

// startAll starts so many processes of the server, and before them a Redis if
// the command asks for one.
func (c contestant) startAll(ctx context.Context, nodes int) (*upNodes, error) {
	up := &upNodes{}
	url := ""
	if strings.Contains(c.command, redisWord) {
		var err error
		if up.redis, err = redis.Start(ctx, detach); err != nil {
			return nil, err
		}
		url = up.redis.URL()
	}
	for range nodes {
		s, err := c.start(ctx, url)
		if err != nil {
			return nil, errors.Join(err, up.stop())
		}
		up.nodes = append(up.nodes, s)
	}
	return up, nil
}

// options returns o for a run against these processes.
func (u *upNodes) options(o Options, protocol dialect.Name) Options {
	o.Protocol, o.URLs, o.PIDs = protocol, nil, nil
	for _, s := range u.nodes {
		o.URLs = append(o.URLs, "http://"+s.addr)
		o.PIDs = append(o.PIDs, s.pid())
	}
	if u.redis != nil {
		o.Redis = u.redis.Addr()
	}
	if o.Mode == Return {
		o.Victim = o.PIDs[len(o.PIDs)-1]
	}
	return o
}

// stop ends all processes: first the servers, so that they do not miss their
// Redis.
func (u *upNodes) stop() error {
	for _, s := range u.nodes {
		s.stop()
	}
	if u.redis == nil {
		return nil
	}
	return u.redis.Stop()
}

// lastWords returns what the processes wrote last, for an error message.
func (u *upNodes) lastWords() (words string) {
	for _, s := range u.nodes {
		words += s.lastWords()
	}
	return words
}
