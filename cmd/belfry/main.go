// Command belfry is the server, its demo and its load generator: see
// `belfry --help`. It exits with 0, 1 for a failure, 2 for a command line that is
// wrong.
package main

import (
	"os"

	"github.com/seed-09a96375/belfry/internal/cli"
)

func main() { os.Exit(cli.Run()) }
