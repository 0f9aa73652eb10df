package lab

import (
	"context"
	"fmt"
	"time"
)

// Launch describes how a node of a subject is started.
type Launch struct {
	Listen string // host:port
	Redis  string // URL
	Name   string // unique to this start
	// Control is what to switch off.
	Control Control
}

// Subject is a kind of server that faults are tried on.
type Subject struct {
	Name string
	// Command is the command line of a node.
	Command func(Launch) []string
	// Folder has the node_modules that it needs; "" if it needs none.
	Folder string
	// Serves: it is belfry serve, with its HTTP API and its sources.
	Serves bool
	// Sticky: polling clients have to stay on one server.
	Sticky bool
	// Promises: what a scenario demands is judged, not only counted.
	Promises bool
	// NoSentinel: its nodes cannot ask Sentinel for Redis.
	NoSentinel bool
	// Log is the key of the stream in which it keeps messages; "" if it has none.
	Log string
}

// Control is what is switched off in a node on purpose, so that the checker has
// to find something.
type Control string

const (
	NoRecovery Control = "no recovery" // sessions are not recovered
	NoTelling  Control = "no telling"  // losses of the bus are not told
	Channel    Control = "a channel"   // messages come from a channel, not a stream
)

// Node is one server of the cluster, with a proxy in front of it and one between
// it and Redis.
type Node struct {
	// Front is between the load balancer and the node.
	Front *Proxy
	// Link is between the node and Redis; nil if Sentinel is asked for it.
	Link *Proxy

	*Process
	dir     string
	index   int
	starts  int
	subject Subject
	launch  Launch
}

func newNode(dir string, index int, s Subject, redis, redisAddr string, c Control) (*Node, error) {
	n := &Node{dir: dir, index: index, subject: s}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	n.launch = Launch{Listen: address(port), Redis: redis, Control: c}
	if redisAddr != "" {
		if n.Link, err = newProxy(fmt.Sprint("link-", index), redisAddr); err != nil {
			return nil, err
		}
		n.launch.Redis = "redis://" + n.Link.Addr()
	}
	n.Front, err = newProxy(fmt.Sprint("front-", index), n.launch.Listen)
	return n, err
}

// URL is where the node serves, without the proxy.
func (n *Node) URL() string { return "http://" + n.launch.Listen }

// Run starts the node under a name of its own and returns when it serves.
func (n *Node) Run(ctx context.Context) error {
	n.starts++
	n.launch.Name = fmt.Sprintf("node-%d.%d", n.index, n.starts)
	n.Process = newProcess(n.dir, n.launch.Name, n.subject.Command(n.launch)...)
	if err := n.Start(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	return until(ctx, n.launch.Name, func() error { return ask(ctx, n.URL()+"/healthz/ready") })
}

const (
	startTime = 20 * time.Second
	// stopTime is how long a node may take to end in an orderly way.
	stopTime = 15 * time.Second
)

// Leave ends the node in an orderly way.
func (n *Node) Leave() error { return n.Stop(stopTime) }

// Restart does so and starts it again.
func (n *Node) Restart(ctx context.Context) error {
	if err := n.Leave(); err != nil {
		return err
	}
	return n.Run(ctx)
}

func (n *Node) close() {
	if n.Process != nil {
		n.Kill()
	}
	n.Front.Cut()
	if n.Link != nil {
		n.Link.Cut()
	}
}
