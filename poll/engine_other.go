//go:build !linux

package poll

import "net"

// engine is for systems with epoll only.
type engine struct{}

func newEngine(*Group) (*engine, error) { return nil, nil }

func (*engine) serves(net.Conn) bool                           { return false }
func (*engine) add(net.Conn, []byte, func(Conn) Handler) error { return nil }
func (*engine) addTo(*Stats)                                   {}
func (*engine) closeAll()                                      {}
func (*engine) wait()                                          {}
