package cli

import (
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seed-09a96375/belfry/internal/backplane"
	"github.com/seed-09a96375/belfry/internal/serve"
)

func serveCommand() *cobra.Command {
	var (
		o    serve.Options
		logs logOptions
	)
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run a node, alone or in a cluster",
		Long: `Run a node, alone or in a cluster.

Nodes with the same --redis act as one server, behind any load balancer. Without
it the node is alone.

GET /healthz/live and /healthz/ready are for supervisors and load balancers.
SIGTERM or Ctrl-C moves the clients to other nodes, over the time of --drain, and
then ends the process; a second signal ends it at once.

Each flag can be given as an environment variable, BELFRY_ and its name:
BELFRY_DRAIN_DELAY=5s is --drain-delay 5s. Flags go first.`,
		Example: `  belfry serve --redis redis://10.0.0.5:6379
  belfry serve --redis 'redis://10.0.0.5:26379?master_set=belfry' --log json
  belfry serve --listen 127.0.0.1:3000 --open      to try it out, alone`,
		Args:    noArgs,
		PreRunE: func(cmd *cobra.Command, _ []string) error { return fromEnvironment(cmd) },
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if o.Logger, err = logs.logger(cmd.ErrOrStderr()); err != nil {
				return usageError(cmd, err)
			}
			if o.Bus.URL == "" {
				stayQuick(cmd.Flags(), &o)
			}
			if err := o.Validate(); err != nil {
				return usageError(cmd, err)
			}
			return serve.Run(cmd.Context(), o)
		},
	}
	serveFlags(cmd.Flags(), &o)
	busFlags(cmd.Flags(), &o.Bus)
	logs.flags(cmd.Flags())
	return cmd
}

func serveFlags(f *pflag.FlagSet, o *serve.Options) {
	f.StringVar(&o.Listen, "listen", ":8080", "`address` for clients, load balancers and other nodes")
	f.StringVar(&o.Path, "path", "/socket.io/", "`path` below which Socket.IO is served")
	f.StringVar((*string)(&o.Node), "node", "", "`name` of this node, of no other (default: that of the machine, and random characters)")
	f.StringVar(&o.Advertise, "advertise", "", "`URL` under which other nodes reach this one (default: made of --listen)")
	f.StringSliceVar(&o.Origins, "origin", nil, "`origin` of pages that may connect, such as https://example.com; repeat it for more (default: those of the same host)")
	f.DurationVar(&o.Recovery, "recovery", 2*time.Minute, "how long a client may be away and still go on where it was; 0: not at all")
	f.DurationVar(&o.Drain, "drain", 30*time.Second, "over what time clients are moved when the node stops (without --redis: 0)")
	f.DurationVar(&o.DrainDelay, "drain-delay", 2*time.Second, "how long the node serves on when it stops, not ready, so that load balancers notice (without --redis: 0)")
	f.DurationVar(&o.PingInterval, "ping-interval", 25*time.Second, "`time` between heartbeats")
	f.DurationVar(&o.PingTimeout, "ping-timeout", 20*time.Second, "`time` to answer a heartbeat")
	f.BoolVar(&o.Open, "open", false, "let every client join any room and send to it: for trying out")
}

// busFlags are those of all commands whose nodes may share a Redis.
func busFlags(f *pflag.FlagSet, o *backplane.Options) {
	f.StringVar(&o.URL, "redis", "", "`URL` of the Redis that joins the nodes (default: none, the bus is in memory)")
	f.StringVar(&o.TLS.CA, "redis-ca", "", "`file` with the authorities to trust for rediss:// (default: those of the system)")
	f.StringVar(&o.TLS.Certificate, "redis-cert", "", "`file` with the certificate to show to Redis")
	f.StringVar(&o.TLS.Key, "redis-key", "", "`file` with its key")
	f.StringVar(&o.Prefix, "redis-prefix", "belfry:", "what keys and channels begin with; `text` that is the same for all nodes")
	f.BoolVar(&o.Interest, "interest", true, "have Redis send a node only what its clients may get")
	f.IntVar(&o.LogMessages, "log-messages", 100_000, "`number` of messages that Redis keeps at the most")
}

// stayQuick is for a node that is alone: its clients have nowhere to go, so that
// a slow stop would only keep them waiting.
func stayQuick(f *pflag.FlagSet, o *serve.Options) {
	if !f.Changed("drain") {
		o.Drain = 0
	}
	if !f.Changed("drain-delay") {
		o.DrainDelay = 0
	}
}
