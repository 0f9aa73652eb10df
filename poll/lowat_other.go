//go:build !linux

package poll

import "net"

// boundKernel does nothing: see Options.NotSentLowat.
func boundKernel(net.Conn, int) {}
