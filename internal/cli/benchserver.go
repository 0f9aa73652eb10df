package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/seed-09a96375/belfry/engineio"
	"github.com/seed-09a96375/belfry/internal/bench/server"
	"github.com/seed-09a96375/belfry/internal/bench/worker"
	"github.com/seed-09a96375/belfry/internal/config"
)

func benchServerCommand() *cobra.Command {
	var (
		o          server.Options
		transports []string
	)
	cmd := &cobra.Command{
		Use:   "server",
		Short: "Serve what the other bench commands measure",
		Long: `Serve what the other bench commands measure: Belfry with the contract's three
events, and /healthz/. Run it, then give its address to the others with --url.
Processes with the same --redis act as one server.`,
		Example: `  belfry bench server --listen 127.0.0.1:3000
  belfry bench server --nodes 2 --transports websocket
  belfry bench server --redis redis://127.0.0.1:6379 --recovery 2m`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if o.EngineIO.Transports, err = parseTransports(transports); err != nil {
				return usageError(cmd, err)
			}
			if o.Bus.Recovery < 0 {
				return usageError(cmd, fmt.Errorf("--recovery is %v: must not be negative", o.Bus.Recovery))
			}
			if o.Nodes < 1 {
				return usageError(cmd, fmt.Errorf("--nodes is %d: must be at least 1", o.Nodes))
			}
			o.Out, o.PublishKey = cmd.OutOrStdout(), worker.PublishKey
			return server.Run(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Listen, "listen", "127.0.0.1:3000", "`address` of the first node; the others take the ports that follow")
	f.IntVar(&o.Nodes, "nodes", 1, "`number` of nodes in this process")
	f.StringSliceVar(&transports, "transports", []string{"polling", "websocket"}, "`names` of the transports that clients may use")
	f.DurationVar(&o.Bus.Recovery, "recovery", 0, "how long a client may be away and still go on where it was; 0: not at all")
	f.DurationVar(&o.EngineIO.PingInterval, "ping-interval", 0, "`time` between heartbeats (default 25s)")
	f.DurationVar(&o.EngineIO.PingTimeout, "ping-timeout", 0, "`time` to answer a heartbeat (default 20s)")
	f.IntVar(&o.Poll.Loops, "loops", 0, "`number` of epoll loops (default: as many as processors)")
	f.DurationVar(&o.Poll.MaxCoalesce, "max-coalesce", 0, "longest `time` that frames are collected under load; negative: never (default 100ms)")
	f.StringVar(&o.Queue, "queue", "", "`name` of a queue in Redis that has what is echoed before the ack (default: none)")
	config.Bus(&o.Bus).Flags(f)
	f.BoolVar(&o.Poll.Portable, "portable", false, "use a goroutine for each connection instead of epoll")
	return cmd
}

func parseTransports(names []string) ([]engineio.Transport, error) {
	known := map[string]engineio.Transport{
		engineio.Polling.String():   engineio.Polling,
		engineio.WebSocket.String(): engineio.WebSocket,
	}
	all := make([]engineio.Transport, 0, len(names))
	for _, name := range names {
		t, ok := known[name]
		if !ok {
			return nil, fmt.Errorf("%q is not a transport: polling and websocket are", name)
		}
		all = append(all, t)
	}
	return all, nil
}
