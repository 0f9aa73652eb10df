package poll

import (
	"context"
	"fmt"
	"net"
)

// ListenOptions configure Listen. The zero value is ready for use.
type ListenOptions struct {
	// Headroom is the number of descriptors that connections leave free for the
	// rest of the process: files, databases, the moment in which a Group takes
	// a connection over. Default: 64, but at most an eighth of the process's
	// limit; negative: none. Linux only.
	Headroom int
	// Refusal is what a client gets for whom there is no descriptor. Default: an
	// HTTP/1.1 503 with Retry-After: 5. Empty but not nil: nothing, which suits
	// listeners for TLS.
	Refusal []byte
	// Refused, if not nil, is called for each refused client. It must not block.
	Refused func()
}

const (
	defaultHeadroom = 64
	refusal         = "HTTP/1.1 503 Service Unavailable\r\n" +
		"Retry-After: 5\r\n" +
		"Connection: close\r\n" +
		"Content-Length: 0\r\n" +
		"\r\n"
)

func (o ListenOptions) withDefaults() ListenOptions {
	if o.Headroom == 0 {
		o.Headroom = defaultHeadroom
	}
	if o.Refusal == nil {
		o.Refusal = []byte(refusal)
	}
	if o.Refused == nil {
		o.Refused = func() {}
	}
	return o
}

// Listen announces on a local address as net.Listen does; network is one of the
// stream networks. Accepted connections have no TCP keep-alive: the protocols
// above have heartbeats.
//
// The Listener lives through a lack of descriptors: whoever connects then is
// answered with Refusal at once and closed, and Accept goes on waiting for one
// that can be served.
func Listen(ctx context.Context, network, addr string, o ListenOptions) (net.Listener, error) {
	config := net.ListenConfig{KeepAlive: -1}
	ln, err := config.Listen(ctx, network, addr)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return guard(ln, o.withDefaults())
}
