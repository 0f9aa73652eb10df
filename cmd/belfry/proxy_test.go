//go:build unix

package main_test

import (
	"bytes"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// proxy stands between a node and Redis. It can swallow what Redis sends, on
// those connections that have subscribed, or on the others. Connections stay.
type proxy struct {
	listener  net.Listener
	to        string
	swallowed [2]atomic.Bool
	work      sync.WaitGroup

	mu     sync.Mutex
	open   []net.Conn
	closed bool
}

const (
	commands = iota
	subscriptions
)

func newProxy(t *testing.T, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, to: to}
	p.work.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

func (p *proxy) swallow(kind int, yes bool) { p.swallowed[kind].Store(yes) }

func (p *proxy) accept() {
	for {
		node, err := p.listener.Accept()
		if err != nil {
			return
		}
		redis, err := net.Dial("tcp", p.to)
		if err != nil {
			_ = node.Close()
			continue
		}
		p.pass(node, redis)
	}
}

func (p *proxy) pass(node, redis net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		_, _ = node.Close(), redis.Close()
		return
	}
	p.open = append(p.open, node, redis)
	kind := new(atomic.Int32)
	p.work.Go(func() {
		copyWhile(redis, node, func(b []byte) bool {
			if bytes.Contains(b, []byte("SUBSCRIBE")) {
				kind.Store(subscriptions)
			}
			return true
		})
	})
	p.work.Go(func() {
		copyWhile(node, redis, func([]byte) bool { return !p.swallowed[kind.Load()].Load() })
	})
}

// copyWhile copies until one side ends; what keep refuses is dropped.
func copyWhile(to, from net.Conn, keep func([]byte) bool) {
	defer to.Close()
	defer from.Close()
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		if n > 0 && keep(b[:n]) {
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (p *proxy) close() {
	_ = p.listener.Close()
	p.mu.Lock()
	p.closed = true
	for _, c := range p.open {
		_ = c.Close()
	}
	p.mu.Unlock()
	p.work.Wait()
}
