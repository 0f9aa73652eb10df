// Package memory is a bus for nodes within one process.
package memory

import (
	"context"
	"errors"
	"time"

	"github.com/seed-09a96375/belfry"
)

// Options configures a Bus.
type Options struct {
	// Log, if not nil, keeps messages and sessions for clients that come back:
	// links then implement belfry.Log and belfry.Sessions.
	Log *Log
}

// Log bounds what is kept; whichever limit is reached first trims the oldest.
type Log struct {
	MaxMessages int           // default 10,000
	MaxBytes    int           // default 64 MiB
	MaxAge      time.Duration // default 2 minutes
	MaxSessions int           // default 100,000
}

// Bus implements belfry.Bus. Safe for concurrent use.
type Bus struct{ options Options }

// New returns a bus without nodes.
func New(o Options) *Bus { return &Bus{options: o} }

// Attach implements belfry.Bus.
func (b *Bus) Attach(ctx context.Context, n belfry.Node) (belfry.Link, error) {
	return nil, errors.ErrUnsupported
}
