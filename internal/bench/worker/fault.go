package worker

import (
	"errors"
	"fmt"
	"io"
	"syscall"
)

var (
	errTimeout  = errors.New("no answer in time")
	errRefused  = errors.New("refused")
	errProtocol = errors.New("not the protocol that was asked for")
)

// connectFault says why a client did not become ready, and what to do.
func connectFault(t Target, err error) *Fault {
	return &Fault{Text: fmt.Sprintf("connect to %s: %v", t.Addr, err), Advice: connectHint(t, err)}
}

func connectHint(t Target, err error) string {
	var status *statusError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there: start the server, or correct --url"
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return "this process may not open more files: raise `ulimit -n`, or use more --workers"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "no local port is free: name more servers with --url, or wait a minute for old connections to expire"
	case errors.Is(err, errTimeout):
		return "the server is overloaded or out of file descriptors: lower --concurrency, raise its `ulimit -n`, or lower --clients"
	case errors.As(err, &status) && status.notFound():
		return "the server does not know the path " + t.Path + ": give it in --url, for example http://host:port/socket.io/"
	case errors.As(err, &status):
		return "no WebSocket there: is this a Socket.IO server with the websocket transport, and is the path in --url right?"
	case errors.Is(err, errProtocol):
		return "the WebSocket peer speaks another protocol: see --protocol; Socket.IO servers must be of version 3 or later"
	case errors.Is(err, errRefused):
		return "the server must let clients into the main namespace without credentials"
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return "the server closed the connection: its log may say why; it may be out of file descriptors"
	}
	return ""
}
