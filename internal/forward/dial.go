package forward

import (
	"context"
	"crypto/tls"
	"net"
	"time"
)

// dialTimeout bounds what a client waits for a node that is gone: it is to begin
// anew quickly.
const dialTimeout = 2 * time.Second

// dialer notices within half a minute that a machine is gone: a long poll waits
// in silence.
func dialer() *net.Dialer {
	return &net.Dialer{
		Timeout:         dialTimeout,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 3},
	}
}

// dial connects to a node for a WebSocket.
func (p *peer) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	host := p.url.Host
	if p.url.Port() == "" {
		host = net.JoinHostPort(p.url.Hostname(), p.url.Scheme) // http and https are names of ports
	}
	if p.url.Scheme == "https" {
		d := tls.Dialer{NetDialer: dialer()}
		return d.DialContext(ctx, "tcp", host)
	}
	return dialer().DialContext(ctx, "tcp", host)
}
