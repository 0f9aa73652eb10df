package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strconv"
	"syscall"

	"github.com/seed-09a96375/belfry/poll"
)

// ListenError tells why a node cannot listen.
type ListenError struct {
	Addr string
	Err  error
}

// Error names the address, and the port if that is what is wrong.
func (e *ListenError) Error() string {
	if errors.Is(e.Err, syscall.EADDRINUSE) {
		host, port, _ := net.SplitHostPort(e.Addr)
		return fmt.Sprintf("port %s on %s is taken", port, host)
	}
	return fmt.Sprintf("cannot listen on %s: %v", e.Addr, e.Err)
}

// Unwrap returns the cause.
func (e *ListenError) Unwrap() error { return e.Err }

// Hint says what to do.
func (e *ListenError) Hint() string {
	switch {
	case errors.Is(e.Err, syscall.EADDRINUSE):
		return "stop what listens there, or choose another port with --listen; with port 0 each node takes one that is free"
	case errors.Is(e.Err, fs.ErrPermission):
		return "this port is reserved for privileged programs: choose one above 1023 with --listen"
	case errors.Is(e.Err, syscall.EADDRNOTAVAIL):
		return "this machine has no such address: try --listen 127.0.0.1:3000, or 0.0.0.0:3000 for all its addresses"
	}
	return "give --listen an address of this machine and a port, such as 127.0.0.1:3000"
}

// Listen opens n listeners: the first on addr, each other one on the port that
// follows; with port 0 each on a port that is free. All errors are a
// *ListenError; then no listener is left open.
func Listen(ctx context.Context, addr string, n int) ([]net.Listener, error) {
	host, first, err := split(addr, n)
	if err != nil {
		return nil, &ListenError{Addr: addr, Err: err}
	}
	all := make([]net.Listener, 0, n)
	for i := range n {
		port := first
		if first != 0 {
			port += i
		}
		at := net.JoinHostPort(host, strconv.Itoa(port))
		ln, err := poll.Listen(ctx, "tcp", at, poll.ListenOptions{})
		if err != nil {
			for _, open := range all {
				_ = open.Close() // nobody knows of it yet
			}
			return nil, &ListenError{Addr: at, Err: bare(err)}
		}
		all = append(all, ln)
	}
	return all, nil
}

// bare takes off what says again what and where.
func bare(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

// split returns the parts of addr; n ports from there on must exist.
func split(addr string, n int) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, err
	}
	port, err = strconv.Atoi(text)
	if err != nil || port < 0 {
		return "", 0, fmt.Errorf("%q is not a port number", text)
	}
	if last := port + n - 1; last > 65535 {
		return "", 0, fmt.Errorf("%d ports from %d on are needed, and the last one is 65535", n, port)
	}
	return host, port, nil
}
