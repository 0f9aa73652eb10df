// Package cli is the command line of belfry.
package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seed-09a96375/belfry/internal/bench"
)

// Command returns `belfry` with all its subcommands. Errors that it returns are
// for Report.
func Command() *cobra.Command {
	root := &cobra.Command{
		Use:   "belfry",
		Short: "A real-time server: Socket.IO, STOMP, WebSocket, event streams",
		Long: `Belfry is a real-time server. Browsers, phones and devices connect with what they
already have, Socket.IO, STOMP, plain WebSocket or event streams; any number of nodes
act as one server.`,
		Example: `  belfry serve --redis URL           a node of a cluster
  belfry check --config FILE         is the configuration right?
  belfry demo                        two nodes, with pages to try them
  belfry bench --help                put load on any Socket.IO server
  belfry completion bash --help      let the shell complete commands and flags`,
		Version:       describeBuild(readBuild()).version,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usageError(cmd, plainly(err)) })
	root.AddCommand(serveCommand(), archiveCommand(), checkCommand(), demoCommand(), bench.Command(benchServerCommand()), queueCommand(), emitCommand(), tailCommand(), tokenCommand(), versionCommand())
	refuseUnknown(root)
	return root
}

// plainly says what a number has to be in place of how it was read.
func plainly(err error) error {
	var value *pflag.InvalidValueError
	var number *strconv.NumError
	if !errors.As(err, &value) || !errors.As(err, &number) {
		return err
	}
	rule := "must be a number"
	if strings.HasPrefix(value.GetFlag().Value.Type(), "int") {
		rule = "must be a whole number"
	}
	if errors.Is(err, strconv.ErrRange) {
		rule = "is too large"
	}
	return fmt.Errorf("invalid argument %q for \"--%s\" flag: %s", value.GetValue(), value.GetFlag().Name, rule)
}

// refuseUnknown makes commands that only have subcommands refuse all else.
func refuseUnknown(cmd *cobra.Command) {
	if !cmd.Runnable() {
		cmd.Args = knownCommand
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
	for _, sub := range cmd.Commands() {
		refuseUnknown(sub)
	}
}

// knownCommand refuses what is not a command, with those that are meant.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := fmt.Errorf("%q is not a command of %s", args[0], cmd.CommandPath())
	cmd.SuggestionsMinimumDistance = 2 // letters to change
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return &Error{Err: err, Hint: fmt.Sprintf("did you mean %s %s?", cmd.CommandPath(), strings.Join(near, " or ")), Code: exitUsage}
	}
	return usageError(cmd, err)
}

// noArgs refuses arguments.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usageError(cmd, fmt.Errorf("%s takes no arguments, but got %q", cmd.CommandPath(), args[0]))
}
