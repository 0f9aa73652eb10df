package sqlite

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Options of a Store. File is needed.
type Options struct {
	// File is where the database is; it is made if it is not there. Two more files
	// with longer names are beside it while it is open.
	File string
	// Retention is how long entries are kept. 0: for ever.
	Retention time.Duration
	// BusyTimeout bounds the wait for another process that writes. Default 10 s.
	BusyTimeout time.Duration
	// MaxReaders bounds the pages that are read at once. Default 4.
	MaxReaders int
	// Logger gets what is created and dropped. Default slog.Default().
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.BusyTimeout == 0 {
		o.BusyTimeout = 10 * time.Second
	}
	if o.MaxReaders == 0 {
		o.MaxReaders = 4
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

// Validate names the options that cannot work, all of them.
func (o Options) Validate() error {
	var errs []error
	bad := func(field string, v any, rule string) {
		errs = append(errs, fmt.Errorf("sqlite: Options.%s is %v: must be %s", field, v, rule))
	}
	if o.File == "" {
		bad("File", "empty", "the name of a file")
	}
	if o.Retention < 0 || o.Retention > 0 && o.Retention < time.Hour {
		bad("Retention", o.Retention, "1h or more, or 0 for ever")
	}
	if o.BusyTimeout < 0 {
		bad("BusyTimeout", o.BusyTimeout, "positive, or 0 for the default")
	}
	if o.MaxReaders < 0 {
		bad("MaxReaders", o.MaxReaders, "positive, or 0 for the default")
	}
	return errors.Join(errs...)
}
