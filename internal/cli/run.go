package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// Run runs the command line of this process and returns its exit code. The first
// interrupt stops the command gracefully; a second one ends the process at once.
func Run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return Report(os.Stderr, Command().ExecuteContext(ctx))
}
