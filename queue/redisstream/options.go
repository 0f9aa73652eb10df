package redisstream

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry/redisconn"
)

// Options configures a Queue. Name or Key, and Redis or Client, are required.
type Options struct {
	// Redis says where Redis is.
	Redis redisconn.Options
	// Client, if not nil, is used in place of a connection of its own. Close leaves
	// it open.
	Client rueidis.Client
	// Name of the queue: its stream is <Prefix>queue:{<Name>}.
	Name string
	// Key of the stream, if it is to have another, such as one that others know
	// already.
	Key string
	// Prefix is what keys begin with. Default "belfry:".
	Prefix string
	// Groups are created if they are missing, also after the stream was deleted.
	// What they have not acknowledged is never trimmed.
	Groups []string
	// Window is how long IDs of events are remembered, and answers kept. Default 5
	// minutes, at least 1 s. An ID takes about 200 bytes in Redis.
	Window time.Duration
	// KeyWindow is how long it is remembered which event was the last of a key.
	// Default 24 hours, at least Window. A key takes about 200 bytes in Redis.
	KeyWindow time.Duration
	// Wait is how long Append waits for a Redis that is away. Default 5 s.
	Wait time.Duration
	// MaxLength is about how many entries a stream without groups keeps. Default
	// 100,000. With groups it is not a bound.
	MaxLength int
	// MaxDead is about how many dead letters are kept: the oldest go, and the log
	// says so. Default 100,000. Negative: all are kept.
	MaxDead int
	// TrimEvery is how often entries are removed that all groups are done with, and
	// dead letters beyond MaxDead, and alarms are looked at. Default 10 s. Negative: never, for programs that only
	// consume.
	TrimEvery time.Duration
	// Alarm is what should not be passed. Nothing is dropped when it is.
	Alarm Alarm
	// Observe, if not nil, gets the figures of the queue every TrimEvery.
	Observe func(Stats)
	// Logger gets what goes wrong away from any caller. Default slog.Default().
	Logger *slog.Logger
}

// Alarm bounds what waits in a queue. What passes a bound is logged every minute.
// The zero value means the defaults; negative: no alarm.
type Alarm struct {
	Length int           // entries of the stream. Default 100,000
	Age    time.Duration // of what a group has not acknowledged. Default 5 minutes
}

func (o Options) withDefaults() Options {
	setDefault(&o.Prefix, "belfry:")
	setDefault(&o.Window, 5*time.Minute)
	setDefault(&o.KeyWindow, max(24*time.Hour, o.Window))
	setDefault(&o.Wait, 5*time.Second)
	setDefault(&o.MaxLength, 100_000)
	setDefault(&o.MaxDead, 100_000)
	setDefault(&o.TrimEvery, 10*time.Second)
	setDefault(&o.Alarm.Length, 100_000)
	setDefault(&o.Alarm.Age, 5*time.Minute)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// Validate names the first option that cannot work.
func (o Options) Validate() error {
	o = o.withDefaults()
	switch key := newNames(o).stream; {
	case o.Name == "" && o.Key == "":
		return errors.New("redisstream: Options.Name is empty: give the queue a name, or the stream a key")
	case strings.ContainsAny(o.Name, "{}"):
		return fmt.Errorf("redisstream: Options.Name is %q, must have no braces", o.Name)
	case hashTag(key) == "" && strings.ContainsAny(key, "{}"):
		return fmt.Errorf("redisstream: Options.Key is %q: braces must be a hash tag, as in {orders}", key)
	case slices.Contains(o.Groups, ""):
		return errors.New("redisstream: Options.Groups has an empty name")
	case o.Window < time.Second:
		return fmt.Errorf("redisstream: Options.Window is %v, must be at least 1s", o.Window)
	case o.KeyWindow < o.Window:
		return fmt.Errorf("redisstream: Options.KeyWindow is %v, must be at least Window, %v", o.KeyWindow, o.Window)
	case o.Wait < 0:
		return fmt.Errorf("redisstream: Options.Wait is %v, must not be negative", o.Wait)
	case o.MaxLength < 1:
		return fmt.Errorf("redisstream: Options.MaxLength is %d, must be positive", o.MaxLength)
	}
	if o.Client != nil {
		return nil
	}
	return o.Redis.Validate()
}
