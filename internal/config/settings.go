package config

import (
	"github.com/spf13/pflag"

	"github.com/seed-09a96375/belfry/internal/backplane"
	"github.com/seed-09a96375/belfry/internal/serve"
)

// settings is the tree, in the order of the reference.
func (t *Tree) settings() []node {
	o := &t.config.Serve
	return append([]node{
		&setting{
			name: "listen", flag: "listen", value: text(&o.Listen), standard: ":8080", option: "serve.Options.Listen",
			usage: "`address` for clients, load balancers and other nodes",
		},
		&setting{
			name: "path", flag: "path", value: text(&o.Path), standard: "/socket.io/", option: "serve.Options.Path",
			usage: "`path` below which Socket.IO is served",
		},
		&setting{
			name: "node", flag: "node", value: text(&o.Node), example: "node-1", option: "serve.Options.Node",
			usage: "`name` of this node, of no other (default: that of the machine, and random characters)",
		},
		&setting{
			name: "advertise", flag: "advertise", value: text(&o.Advertise), example: "http://10.0.0.3:8080", option: "serve.Options.Advertise",
			usage: "`URL` under which other nodes reach this one (default: made of --listen)",
		},
		&setting{
			name: "origins", flag: "origin", value: &texts{&o.Origins}, example: "https://example.com,https://*.example.com", option: "engineio.Options.Origins",
			usage: "`origin` of pages that may connect, such as https://example.com; repeat it for more (default: those of the same host)",
		},
		&setting{
			name: "open", flag: "open", value: boolean(&o.Open), standard: "false", option: "serve.Options.Open",
			usage: "let every client join any room and send to it: for trying out",
		},
		&setting{
			name: "presence", value: &texts{&o.Presence}, example: "meet:*", option: "serve.Options.Presence",
			usage: "rooms whose members the cluster knows, the same on all nodes; * is any text (default: none)",
		},
		&setting{
			name: "recovery", flag: "recovery", value: duration(&o.Recovery), standard: "2m", option: "serve.Options.Recovery",
			usage: "how long a client may be away and still go on where it was, the same on all nodes; 0: not at all",
		},
		&section{name: "redis", usage: "The Redis that joins nodes to a cluster", nodes: Bus(&o.Bus).nodes},
		&section{name: "drain", usage: "What happens when the node stops", nodes: drain(o)},
		&section{name: "heartbeat", usage: "How broken connections are found", nodes: heartbeat(o)},
		&section{name: "limits", usage: "What one client, and all together, may use", nodes: limits(o)},
		&section{name: "stomp", usage: "The front for STOMP clients, over WebSocket", nodes: stompFront(&o.STOMP)},
		&section{name: "plain", usage: "The fronts for clients without a library: JSON over WebSocket, and Server-Sent Events", nodes: plainFronts(&o.Plain)},
		&section{name: "api", usage: "The HTTP API for backends, below /api/. They need a key of auth.api_keys, or a token with api; with --open nothing", nodes: httpAPI(&o.API)},
		&section{name: "metrics", usage: "What Prometheus reads, at /metrics, see metrics.md. It needs a key of auth.api_keys, or a token, with the grant metrics or api; with --open nothing", nodes: metricsSettings(&o.Metrics)},
		&section{name: "kafka", usage: "The Kafka of topics in routes and sources", nodes: kafkaSettings(&o.Kafka)},
		&section{name: "archive", usage: "Where routes keep messages, and clients with the grant history read the past of rooms, see archive.md", nodes: archiveSettings(&o.Archive)},
		queues(o),
		webhooks(&o.Webhooks),
		&section{name: "log", usage: "The log, on standard error", nodes: t.config.Log.settings()},
		&section{name: "auth", usage: "Who clients are, and what they may do. Without this section clients may only connect and get what is sent to them", nodes: t.auth(), option: "serve.Options.Auth"},
	}, routes(&o.Routes)...)
}

// Group is a group of settings that several commands have.
type Group struct{ nodes []node }

// Flags adds the flags of the group, for commands without a tree.
func (g Group) Flags(f *pflag.FlagSet) {
	walk(g.nodes, "", func(_ string, s *setting) {
		if s.standard != "" {
			_ = s.value.Set(s.standard) // a test sees to it that it can be
		}
		if s.flag == "" {
			return
		}
		flag := f.VarPF(s.value, s.flag, "", s.usage)
		if s.value.Type() == "bool" {
			flag.NoOptDefVal = "true"
		}
	})
}

// Bus are the settings of the Redis that joins nodes.
func Bus(o *backplane.Options) Group {
	return Group{[]node{
		&setting{
			name: "url", flag: "redis", value: text(&o.URL), example: "redis://10.0.0.5:6379", secret: true, option: "redis.Options.URL",
			usage: "`URL` of the Redis that joins the nodes (default: none, the bus is in memory)",
		},
		&setting{
			name: "ca", flag: "redis-ca", value: text(&o.TLS.CA), example: "/etc/belfry/ca.pem",
			usage: "`file` with the authorities to trust for rediss:// (default: those of the system)",
		},
		&setting{
			name: "cert", flag: "redis-cert", value: text(&o.TLS.Certificate), example: "/etc/belfry/redis.pem",
			usage: "`file` with the certificate to show to Redis",
		},
		&setting{
			name: "key", flag: "redis-key", value: text(&o.TLS.Key), example: "/etc/belfry/redis-key.pem",
			usage: "`file` with its key",
		},
		&setting{
			name: "prefix", flag: "redis-prefix", value: text(&o.Prefix), standard: "belfry:",
			usage: "what keys and channels begin with; `text` that is the same for all nodes",
		},
		&setting{
			name: "interest", flag: "interest", value: boolean(&o.Interest), standard: "true",
			usage: "have Redis send a node only what its clients may get",
		},
		&setting{
			name: "log_messages", flag: "log-messages", value: number(&o.LogMessages), standard: "100000", option: "redis.Options.Log.MaxMessages",
			usage: "`number` of messages that Redis keeps at the most",
		},
		&setting{
			name: "id_window", value: duration(&o.IDWindow), standard: "5m", option: "redis.Options.IDs.Window",
			usage: "how long ids of messages are remembered, the same on all nodes: what is published again with one is dropped; also without Redis",
		},
		&setting{
			name: "wait", value: duration(&o.Wait), standard: "5s", option: "redis.Options.Spool.Time",
			usage: "how long what is published waits for a Redis that is away",
		},
		&setting{
			name: "timeout", value: duration(&o.Timeout), standard: "2s", option: "redis.Options.Timeout",
			usage: "how long a command may go without an answer",
		},
		&setting{
			name: "lease", value: duration(&o.Lease), standard: "10s", option: "redis.Options.Lease",
			usage: "how long a node that says nothing counts as alive",
		},
	}}
}

func drain(o *serve.Options) []node {
	return []node{
		&setting{
			name: "over", flag: "drain", value: duration(&o.Drain), standard: "30s", option: "serve.Options.Drain",
			usage: "over what time clients are moved when the node stops (without --redis: 0)",
		},
		&setting{
			name: "delay", flag: "drain-delay", value: duration(&o.DrainDelay), standard: "2s", option: "serve.Options.DrainDelay",
			usage: "how long the node serves on when it stops, not ready, so that load balancers notice (without --redis: 0)",
		},
	}
}

func heartbeat(o *serve.Options) []node {
	return []node{
		&setting{
			name: "interval", flag: "ping-interval", value: duration(&o.PingInterval), standard: "25s", option: "engineio.Options.PingInterval",
			usage: "`time` between heartbeats",
		},
		&setting{
			name: "timeout", flag: "ping-timeout", value: duration(&o.PingTimeout), standard: "20s", option: "engineio.Options.PingTimeout",
			usage: "`time` to answer a heartbeat",
		},
	}
}

func limits(o *serve.Options) []node {
	return []node{
		&setting{
			name: "message", value: size(&o.MaxMessage), standard: "1MB", option: "engineio.Options.MaxPayload",
			usage: "largest message of a client",
		},
		&setting{
			name: "queue", value: size(&o.MaxQueue), standard: "1MiB", option: "engineio.Options.MaxQueue",
			usage: "what may wait for a client that reads slowly; one that has more is closed, or loses messages that may be dropped",
		},
		&setting{
			name: "events_per_second", value: number(&o.MaxEventsPerSecond), standard: "5000", option: "socketio.Options.MaxEventsPerSecond",
			usage: "a client that sends more is read no faster; -1: no bound",
		},
		&setting{
			name: "rooms", value: number(&o.MaxRooms), standard: "10000", option: "socketio.Options.MaxRooms",
			usage: "rooms that one client may be in; -1: no bound",
		},
		&setting{
			name: "connections", value: number(&o.MaxConnections), standard: "0", option: "serve.Options.MaxConnections",
			usage: "clients of this node, all fronts together, beyond which others are told to go elsewhere; 0: what the limit of open files allows; -1: no bound",
		},
	}
}
