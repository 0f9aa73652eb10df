// Package proxy is a TCP proxy that a test can break: cut its connections, or
// freeze it so that nothing passes and nothing is closed.
package proxy

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// Proxy passes connections on to one address. Safe for concurrent use.
type Proxy struct {
	listener net.Listener
	to       string
	work     sync.WaitGroup

	mu     sync.Mutex
	open   map[net.Conn]struct{}
	thawed chan struct{} // closed while bytes may pass
	closed bool
}

// New listens on a free port of 127.0.0.1 and passes on to the address. The
// caller closes it.
func New(to string) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	p := &Proxy{listener: l, to: to, open: make(map[net.Conn]struct{}), thawed: make(chan struct{})}
	close(p.thawed)
	p.work.Go(p.accept)
	return p, nil
}

// Addr is where the proxy listens.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

func (p *Proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.work.Go(func() { p.pass(c) })
	}
}

func (p *Proxy) pass(client net.Conn) {
	server, err := net.Dial("tcp", p.to)
	if err != nil {
		_ = client.Close()
		return
	}
	if !p.add(client, server) {
		return
	}
	p.work.Go(func() { p.copy(server, client) })
	p.copy(client, server)
}

// add takes both ends into account, or closes them if the proxy is closed.
func (p *Proxy) add(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		if p.closed {
			_ = c.Close()
		} else {
			p.open[c] = struct{}{}
		}
	}
	return !p.closed
}

// copy passes bytes one way and hands the end of the stream on.
func (p *Proxy) copy(to, from net.Conn) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		<-p.gate()
		if n > 0 {
			if _, werr := to.Write(buf[:n]); werr != nil {
				err = werr
			}
		}
		if err != nil {
			p.end(to, from, errors.Is(err, io.EOF))
			return
		}
	}
}

func (p *Proxy) gate() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.thawed
}

// end closes the other side's writing half after an orderly end, else both.
func (p *Proxy) end(to, from net.Conn, orderly bool) {
	if t, ok := to.(*net.TCPConn); ok && orderly {
		_ = t.CloseWrite()
		return
	}
	_, _ = to.Close(), from.Close()
}

// Cut resets every connection that is open, and lets new ones pass.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		if t, ok := c.(*net.TCPConn); ok {
			_ = t.SetLinger(0)
		}
		_ = c.Close()
	}
	clear(p.open)
	p.thaw()
}

// Freeze holds back every byte until Thaw or Cut.
func (p *Proxy) Freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.thaw()
	p.thawed = make(chan struct{})
}

// Thaw lets pass what Freeze held back.
func (p *Proxy) Thaw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.thaw()
}

func (p *Proxy) thaw() {
	select {
	case <-p.thawed:
	default:
		close(p.thawed)
	}
}

// Close ends the proxy and all its connections, and waits.
func (p *Proxy) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	_ = p.listener.Close()
	p.Cut()
	p.work.Wait()
}
