package cli

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/pflag"
)

// logOptions say how a command logs.
type logOptions struct{ format, level string }

func (l *logOptions) flags(f *pflag.FlagSet) {
	f.StringVar(&l.format, "log", "text", "`format` of the log: text or json")
	f.StringVar(&l.level, "log-level", "info", "least `level` that is logged: debug, info, warn or error")
}

func (l *logOptions) logger(w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(l.level)); err != nil {
		return nil, fmt.Errorf("--log-level is %q: must be debug, info, warn or error", l.level)
	}
	o := &slog.HandlerOptions{Level: level}
	switch l.format {
	case "text":
		return slog.New(slog.NewTextHandler(w, o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, o)), nil
	}
	return nil, fmt.Errorf("--log is %q: must be text or json", l.format)
}
