package websocket

import (
	"errors"
	"fmt"
	"time"

	"github.com/seed-09a96375/belfry/poll"
)

// Options are what all connections of an Upgrader share. The zero value of
// every field but Poller is its default.
type Options struct {
	// Poller takes the connections in. Required.
	Poller poll.Poller
	// MaxMessage is the size in bytes up to which a message is accepted, counted
	// without frame headers and after inflating. Default 1,000,000. A longer
	// message ends the connection with 1009.
	MaxMessage int
	// MaxFragments is the number of frames that one message may consist of.
	// Default 16,384. More end the connection with 1008.
	MaxFragments int
	// HandshakeTimeout bounds the write of the 101 response. Default 10 s.
	HandshakeTimeout time.Duration
	// Subprotocols are the names that are accepted, at most 255. The first one
	// in the client's list that stands here is chosen. Default none.
	Subprotocols []string
	// Deflate switches permessage-deflate on. Default nil: off.
	Deflate *DeflateOptions
}

// DeflateOptions tune permessage-deflate. The zero value is ready to use.
type DeflateOptions struct {
	// Threshold is the payload size in bytes from which Conn.Compresses says
	// yes. Default 1024; negative: every message.
	Threshold int
}

const (
	defaultMaxMessage       = 1_000_000
	defaultMaxFragments     = 1 << 14
	defaultHandshakeTimeout = 10 * time.Second
	defaultThreshold        = 1024
	maxSubprotocols         = 255
)

func (o Options) withDefaults() Options {
	if o.MaxMessage == 0 {
		o.MaxMessage = defaultMaxMessage
	}
	if o.MaxFragments == 0 {
		o.MaxFragments = defaultMaxFragments
	}
	if o.HandshakeTimeout == 0 {
		o.HandshakeTimeout = defaultHandshakeTimeout
	}
	if o.Deflate != nil {
		d := o.Deflate.withDefaults()
		o.Deflate = &d
	}
	return o
}

func (o DeflateOptions) withDefaults() DeflateOptions {
	if o.Threshold == 0 {
		o.Threshold = defaultThreshold
	}
	return o
}

// Validate names every field that breaks its rule; zero values are valid where
// a default exists.
func (o Options) Validate() error {
	var faults []error
	if o.Poller == nil {
		faults = append(faults, errors.New("websocket: Poller is nil, must be set"))
	}
	if o.MaxMessage < 0 {
		faults = append(faults, fmt.Errorf("websocket: MaxMessage is %d, must not be negative", o.MaxMessage))
	}
	if o.MaxFragments < 0 {
		faults = append(faults, fmt.Errorf("websocket: MaxFragments is %d, must not be negative", o.MaxFragments))
	}
	if o.HandshakeTimeout < 0 {
		faults = append(faults, fmt.Errorf("websocket: HandshakeTimeout is %v, must not be negative", o.HandshakeTimeout))
	}
	if n := len(o.Subprotocols); n > maxSubprotocols {
		faults = append(faults, fmt.Errorf("websocket: Subprotocols has %d names, must have at most %d", n, maxSubprotocols))
	}
	for _, s := range o.Subprotocols {
		if !isToken(s) {
			faults = append(faults, fmt.Errorf("websocket: Subprotocols has %q, must be an HTTP token", s))
		}
	}
	return errors.Join(faults...)
}
