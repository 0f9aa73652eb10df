package cli

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/seed-09a96375/belfry/internal/config"
)

func checkCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check a configuration file",
		Long: `Check a configuration as serve would read it: the file, the files that it names, and
the environment. All that is wrong is listed, with line and column. Nothing is
connected to.`,
		Example: `  belfry check --config /etc/belfry.yaml`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				file = os.Getenv("BELFRY_CONFIG")
			}
			if file == "" {
				return usageError(cmd, errors.New("which file? give --config FILE"))
			}
			if _, err := config.New().Load(config.Sources{File: file, Environ: os.Getenv}); err != nil {
				return &Error{Err: err, Hint: "docs/configuration.md lists all settings", Code: exitFailure}
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s is fine\n", file)
			return err
		},
	}
	configFlag(cmd.Flags(), &file)
	return cmd
}
