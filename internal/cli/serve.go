package cli

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seed-09a96375/belfry/internal/config"
	"github.com/seed-09a96375/belfry/internal/serve"
)

func serveCommand() *cobra.Command {
	tree := config.New()
	var file string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run a node, alone or in a cluster",
		Long: `Run a node, alone or in a cluster.

Nodes with the same --redis act as one server, behind any load balancer. Without
it the node is alone.

GET /healthz/live and /healthz/ready are for supervisors and load balancers.
SIGTERM or Ctrl-C moves the clients to other nodes, over the time of --drain, and
then ends the process; a second signal ends it at once.

What the flags say can also be in a file, and as environment variables: BELFRY_ and
the name of the flag, so that BELFRY_DRAIN_DELAY=5s is --drain-delay 5s. Flags go
first, the file last. Only the file has all there is, such as who clients are and
what they may do: see docs/configuration.md, and belfry check.`,
		Example: `  belfry serve --config /etc/belfry.yaml
  belfry serve --redis redis://10.0.0.5:6379
  belfry serve --redis 'redis://10.0.0.5:26379?master_set=belfry' --log json
  belfry serve --listen 127.0.0.1:3000 --open      to try it out, alone`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := load(cmd, tree, file)
			if err != nil {
				return err
			}
			c.Serve.Logger = c.Log.Logger(cmd.ErrOrStderr())
			c.Serve.Version = describeBuild(readBuild()).version
			return serve.Run(cmd.Context(), c.Serve)
		},
	}
	configFlag(cmd.Flags(), &file)
	tree.Flags(cmd.Flags())
	return cmd
}

func configFlag(f *pflag.FlagSet, file *string) {
	f.StringVarP(file, "config", "c", "", "`file` with the configuration, YAML")
}

// load reads all sources. The file may be named by BELFRY_CONFIG.
func load(cmd *cobra.Command, tree *config.Tree, file string) (*config.Config, error) {
	if file == "" {
		file = os.Getenv("BELFRY_CONFIG")
	}
	c, err := tree.Load(config.Sources{File: file, Environ: os.Getenv})
	if err != nil {
		hint := fmt.Sprintf("see %s --help", cmd.CommandPath())
		if file != "" {
			hint = "docs/configuration.md lists all settings; belfry check -c " + file + " checks it without a start"
		}
		return nil, &Error{Err: err, Hint: hint, Code: exitUsage}
	}
	return c, nil
}
