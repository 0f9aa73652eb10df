package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// Error is an error with advice for the user.
type Error struct {
	Err  error
	Hint string // what to do about it; empty: nothing is known
	Code int    // of the process's exit; 0 means 1
}

// Error is the text of the error without the hint.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

const (
	exitFailure     = 1
	exitUsage       = 2
	exitInterrupted = 130 // as shells have it for SIGINT
)

func usageError(cmd *cobra.Command, err error) error {
	return &Error{Err: err, Hint: fmt.Sprintf("see %s --help", cmd.CommandPath()), Code: exitUsage}
}

// Report prints an error line and, if there is advice, a hint line. It returns
// the exit code of the process: 0 without an error, 2 for a command line that is
// wrong, 130 for a command that was interrupted before it was done, else 1.
func Report(w io.Writer, err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintf(w, "error: %v\n", err)
	if hint := advice(err); hint != "" {
		fmt.Fprintf(w, "hint: %s\n", hint)
	}
	return exitCode(err)
}

// advice finds the hint that err has, or an error that it wraps.
func advice(err error) string {
	var own *Error
	if errors.As(err, &own) {
		return own.Hint
	}
	var other interface{ Hint() string } // an error of a package below
	if errors.As(err, &other) {
		return other.Hint()
	}
	return ""
}

func exitCode(err error) int {
	var own *Error
	switch {
	case errors.As(err, &own) && own.Code != 0:
		return own.Code
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	return exitFailure
}
