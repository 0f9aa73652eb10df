package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// fromEnvironment sets the flags that the command line leaves out to what their
// environment variables say. A variable that is empty says nothing.
func fromEnvironment(cmd *cobra.Command) error {
	var err error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		name := variable(f.Name)
		value := os.Getenv(name)
		if err != nil || f.Changed || f.Name == "help" || value == "" {
			return
		}
		if e := cmd.Flags().Set(f.Name, value); e != nil {
			err = usageError(cmd, fmt.Errorf("environment variable %s: %w", name, e))
		}
	})
	return err
}

// variable is BELFRY_DRAIN_DELAY for drain-delay.
func variable(flag string) string {
	return "BELFRY_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}
