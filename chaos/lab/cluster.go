package lab

import (
	"context"
	"errors"
)

// Nodes is the size of a cluster.
const Nodes = 3

// Options of a Cluster.
type Options struct {
	Dir     string // for logs and data
	Nginx   string // configuration to use, a template
	Subject Subject
	Control Control
	// Watched: Redis has a replica and Sentinels.
	Watched bool
	// Durable: Redis answers when what it was told is on the disk. As it comes it
	// may forget the last second when it is killed.
	Durable bool
}

// Cluster is everything but the clients.
type Cluster struct {
	Redis   *Redis   // the master
	Watched *Watched // nil unless asked for
	Nodes   []*Node
	Nginx   *Nginx

	log     string
	closers []func()
	newNode func(index int) (*Node, error)
}

// Start runs a cluster. The caller closes it, also after an error.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	c := &Cluster{log: o.Subject.Log}
	url, err := c.startRedis(ctx, o)
	if err != nil {
		return c, err
	}
	link := c.Redis.Addr
	if o.Watched {
		link = "" // Sentinel says where Redis is
	}
	c.newNode = func(index int) (*Node, error) { return newNode(o.Dir, index, o.Subject, url, link, o.Control) }
	var fronts []string
	for i := range Nodes {
		n, err := c.start(ctx, i+1)
		if n != nil {
			c.Nodes = append(c.Nodes, n)
			fronts = append(fronts, n.Front.Addr())
		}
		if err != nil {
			return c, err
		}
	}
	if c.Nginx, err = startNginx(ctx, o.Dir, o.Nginx, fronts, o.Subject.Sticky); c.Nginx != nil {
		c.closers = append(c.closers, c.Nginx.Kill)
	}
	return c, err
}

// start runs a node that Close ends.
func (c *Cluster) start(ctx context.Context, index int) (*Node, error) {
	n, err := c.newNode(index)
	if err != nil {
		return nil, err
	}
	c.closers = append(c.closers, n.close)
	return n, n.Run(ctx)
}

// Join starts one node more. The load balancer does not know it: no client comes to
// it, but it has a part in what nodes do together.
func (c *Cluster) Join(ctx context.Context) (*Node, error) { return c.start(ctx, Nodes+1) }

func (c *Cluster) startRedis(ctx context.Context, o Options) (url string, err error) {
	if o.Watched {
		w, closer, err := startWatched(ctx, o.Dir)
		if err != nil {
			return "", err
		}
		c.closers = append(c.closers, closer)
		c.Watched, c.Redis = w, w.Master
		return w.URL(), nil
	}
	var args []string
	if o.Durable {
		args = []string{"--appendfsync", "always"}
	}
	if c.Redis, err = newRedis(o.Dir, "redis", args...); err != nil {
		return "", err
	}
	c.closers = append(c.closers, c.Redis.Kill)
	return c.Redis.URL(), c.Redis.Run(ctx)
}

// Close ends everything that was started.
func (c *Cluster) Close() {
	for i := len(c.closers) - 1; i >= 0; i-- {
		c.closers[i]()
	}
	c.closers = nil
}

// URLs are those of the nodes, without proxies.
func (c *Cluster) URLs() (all []string) {
	for _, n := range c.Nodes {
		all = append(all, n.URL())
	}
	return all
}

// DropClients cuts the connections of all clients, and lets them in again.
func (c *Cluster) DropClients(context.Context) error {
	var errs []error
	for _, n := range c.Nodes {
		n.Front.Cut()
	}
	for _, n := range c.Nodes {
		errs = append(errs, n.Front.Mend())
	}
	return errors.Join(errs...)
}

// EmptyLog removes what the nodes keep for repairs.
func (c *Cluster) EmptyLog(ctx context.Context) error {
	_, err := c.Redis.Ask(ctx, "XTRIM", c.log, "MAXLEN", "0")
	return err
}
