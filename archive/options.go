package archive

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/seed-09a96375/belfry"
)

// Options of an Archiver. Source and Store are needed.
type Options struct {
	Source belfry.Source
	Store  Store
	// Decode reads the entries of a record, which is done with when all are kept.
	// Its error puts the record aside. Default Decode.
	Decode func(*belfry.Record) ([]Entry, error)
	// BatchRecords bounds the entries that are written at once. Default 5,000.
	BatchRecords int
	// BatchBytes bounds their size. Default 4 MiB. An entry that is larger than
	// half of it is put aside.
	BatchBytes int
	// Pace is the least time from one batch to the next if that has less than a
	// tenth of the most: under load entries collect in the source meanwhile. After a
	// pause an entry is written at once. Default 50 ms; negative: none.
	Pace time.Duration
	// RetryMin and RetryMax bound the time from a failure of the store to the next
	// try; it doubles from one to the other. Default 100 ms and 10 s.
	RetryMin, RetryMax time.Duration
	// StopTimeout bounds the time in which Run finishes what is under way when its
	// context has ended. What it does not finish comes again. Default 10 s.
	StopTimeout time.Duration
	// MaxAhead bounds how far the time of an entry may be ahead of the clock; a
	// larger one is wrong, and puts the record aside. Default 24 h.
	MaxAhead time.Duration
	// TendInterval is how often the store is looked after. Default 1 h.
	TendInterval time.Duration
	// LagInterval is how often the source is asked for its lag. Default 5 s.
	LagInterval time.Duration
	// Logger gets failures and recoveries, and what is put aside. Default
	// slog.Default().
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	set := func(p *time.Duration, v time.Duration) {
		if *p == 0 {
			*p = v
		}
	}
	set(&o.Pace, 50*time.Millisecond)
	set(&o.RetryMin, 100*time.Millisecond)
	set(&o.RetryMax, max(10*time.Second, o.RetryMin))
	set(&o.StopTimeout, 10*time.Second)
	set(&o.MaxAhead, 24*time.Hour)
	set(&o.TendInterval, time.Hour)
	set(&o.LagInterval, 5*time.Second)
	if o.Decode == nil {
		o.Decode = Decode
	}
	if o.BatchRecords == 0 {
		o.BatchRecords = 5000
	}
	if o.BatchBytes == 0 {
		o.BatchBytes = 4 << 20
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
		errs = append(errs, fmt.Errorf("archive: Options.%s is %v: must be %s", field, v, rule))
	}
	if o.Source == nil {
		bad("Source", o.Source, "given")
	}
	if o.Store == nil {
		bad("Store", o.Store, "given")
	}
	if o.BatchRecords < 0 {
		bad("BatchRecords", o.BatchRecords, "positive, or 0 for the default")
	}
	if o.BatchBytes < 0 {
		bad("BatchBytes", o.BatchBytes, "positive, or 0 for the default")
	}
	for _, d := range []struct {
		name string
		v    time.Duration
	}{
		{"RetryMin", o.RetryMin},
		{"RetryMax", o.RetryMax},
		{"StopTimeout", o.StopTimeout},
		{"MaxAhead", o.MaxAhead},
		{"TendInterval", o.TendInterval},
		{"LagInterval", o.LagInterval},
	} {
		if d.v < 0 {
			bad(d.name, d.v, "positive, or 0 for the default")
		}
	}
	if o.RetryMax != 0 && o.RetryMax < o.RetryMin {
		bad("RetryMax", o.RetryMax, "RetryMin or more")
	}
	return errors.Join(errs...)
}
