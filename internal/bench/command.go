package bench

import (
	"context"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-09a96375/belfry/internal/bench/floor"
	"github.com/seed-09a96375/belfry/internal/bench/records"
	"github.com/seed-09a96375/belfry/internal/bench/worker"
)

// Command returns `bench` with its subcommands, and more of them if given. When
// the context of a command ends, its run ends early with a partial summary.
func Command(more ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Put load on a Socket.IO server and measure what it makes of it",
		Long: `Put load on a Socket.IO server and measure what it makes of it.

The server serves this contract on the main namespace:

  join (room, ack)     joins the room and acks
  say (room, payload)  emits msg (payload) to that room, on all nodes
  echo (payload, ack)  acks with the payload

Needs Linux. Clients use WebSocket without TLS. Ctrl-C ends a run early with a
partial summary.`,
	}
	cmd.AddCommand(
		modeCommand(Idle, "Connect clients and hold them: connect rate, memory per client"),
		modeCommand(Fanout, "Send to few large rooms: CPU per delivery, latency, most deliveries per second"),
		modeCommand(Rooms, "Send to many small rooms"),
		modeCommand(Return, "Kill a server and see how its clients come back to the others"),
		modeCommand(Echo, "Send requests and wait for their acks"),
		modeCommand(Kafka, "Produce records that a server reads into rooms: latency from there to clients"),
		modeCommand(Floor, "Measure what fan-out costs at the least: bare write(2) to bare TCP clients"),
		compareCommand(),
		helperCommand(workerRole, func() error { return worker.Run(os.Stdin, os.Stdout) }),
		helperCommand(floorRole, func() error { return floor.Run(os.Stdin, os.Stdout) }),
		helperCommand(producerRole, func() error { return records.Run(os.Stdin, os.Stdout) }),
	)
	cmd.AddCommand(more...)
	return cmd
}

// modeCommand returns the command that runs one mode.
func modeCommand(mode Mode, short string) *cobra.Command {
	opts := Options{Mode: mode}
	var out output
	cmd := &cobra.Command{
		Use:   string(mode),
		Short: short,
		Args:  cobra.NoArgs,
		// A run that fails is not a wrong command line.
		SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			explicitZeros(cmd.Flags(), &opts)
			return runMode(cmd.Context(), cmd, opts, out)
		},
	}
	loadFlags(cmd.Flags(), &opts)
	out.flags(cmd.Flags())
	return cmd
}

func runMode(ctx context.Context, cmd *cobra.Command, opts Options, out output) error {
	show := newProgress(cmd.ErrOrStderr(), opts.withDefaults().Clients)
	result, err := start(ctx, opts, execLauncher(benchArgs(cmd)), show)
	if result == nil || (err != nil && result.Traffic == nil && result.Return == nil) {
		return err
	}
	if writeErr := out.write(cmd.OutOrStdout(), result); writeErr != nil && err == nil {
		err = writeErr
	}
	return err
}

// helperCommand returns a command that only this package starts. It has told its
// parent why it failed, which tells the user.
func helperCommand(r role, run func() error) *cobra.Command {
	return &cobra.Command{
		Use:    string(r),
		Hidden: true,
		Args:   cobra.NoArgs,
		Run:    func(*cobra.Command, []string) { _ = run() },
	}
}

// benchArgs returns the arguments that lead to the bench command of this
// program, for starting it again.
func benchArgs(cmd *cobra.Command) []string {
	return strings.Fields(cmd.Parent().CommandPath())[1:]
}
