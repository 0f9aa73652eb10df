package poll

import (
	"fmt"
	"log/slog"
	"runtime"
	"time"
)

// Options configure a Group. The zero value is ready for use.
type Options struct {
	// Loops is the number of epoll loops, each one goroutine. Default:
	// GOMAXPROCS. Without meaning where there is no epoll.
	Loops int
	// MaxQueue bounds the bytes that wait per connection. One frame larger than
	// that is accepted when nothing else waits. Default: 1 MiB.
	MaxQueue int
	// Linger is how long Finish waits for the peer. Default: 5 s.
	Linger time.Duration
	// MaxCoalesce is the longest time for which frames of one connection are
	// collected under heavy load. At low load, and for a connection that was not
	// written lately, there is no delay at all. Whole milliseconds. Default:
	// 100 ms; negative: never collect.
	MaxCoalesce time.Duration
	// NotSentLowat bounds the bytes that the kernel takes per TCP connection
	// beyond what is on its way (TCP_NOTSENT_LOWAT): what a peer that does not
	// read can hold of kernel memory. Default: 64 KiB; negative: the kernel's
	// setting. Linux only.
	NotSentLowat int
	// Portable uses a goroutine per connection even where epoll could serve.
	Portable bool
	// Logger gets panics of handlers and failures that have no caller. Default:
	// discard.
	Logger *slog.Logger
}

const (
	defaultMaxQueue     = 1 << 20
	defaultLinger       = 5 * time.Second
	defaultMaxCoalesce  = 100 * time.Millisecond
	defaultNotSentLowat = 64 << 10
)

func (o Options) withDefaults() Options {
	if o.Loops == 0 {
		o.Loops = runtime.GOMAXPROCS(0)
	}
	if o.MaxQueue == 0 {
		o.MaxQueue = defaultMaxQueue
	}
	if o.Linger == 0 {
		o.Linger = defaultLinger
	}
	if o.MaxCoalesce == 0 {
		o.MaxCoalesce = defaultMaxCoalesce
	}
	if o.NotSentLowat == 0 {
		o.NotSentLowat = defaultNotSentLowat
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Validate names the first field that breaks its rule. Zero values are valid:
// they stand for the defaults.
func (o Options) Validate() error {
	switch {
	case o.Loops < 0:
		return fmt.Errorf("poll: Loops is %d: must not be negative", o.Loops)
	case o.MaxQueue < 0:
		return fmt.Errorf("poll: MaxQueue is %d: must not be negative", o.MaxQueue)
	case o.Linger < 0:
		return fmt.Errorf("poll: Linger is %v: must not be negative", o.Linger)
	case o.MaxCoalesce > 0 && o.MaxCoalesce < time.Millisecond:
		return fmt.Errorf("poll: MaxCoalesce is %v: must be at least 1ms, or negative for none", o.MaxCoalesce)
	case o.MaxCoalesce > time.Minute:
		return fmt.Errorf("poll: MaxCoalesce is %v: must be at most 1m", o.MaxCoalesce)
	}
	return nil
}
