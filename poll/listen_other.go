//go:build !linux

package poll

import "net"

func guard(ln net.Listener, _ ListenOptions) (net.Listener, error) { return ln, nil }
