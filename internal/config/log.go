package config

import (
	"io"
	"log/slog"
)

// Log says how a command logs.
type Log struct{ Format, Level string }

func (l *Log) settings() []node {
	return []node{
		&setting{
			name: "format", flag: "log", value: choice(&l.Format, "text", "json"), standard: "text",
			usage: "`format` of the log: text or json",
		},
		&setting{
			name: "level", flag: "log-level", value: choice(&l.Level, "debug", "info", "warn", "error"), standard: "info",
			usage: "least `level` that is logged: debug, info, warn or error",
		},
	}
}

// Logger returns the logger.
func (l Log) Logger(w io.Writer) *slog.Logger {
	var o slog.HandlerOptions
	var level slog.Level
	if level.UnmarshalText([]byte(l.Level)) == nil {
		o.Level = level
	}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, &o))
	}
	return slog.New(slog.NewTextHandler(w, &o))
}
