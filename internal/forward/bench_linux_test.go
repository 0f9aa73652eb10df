package forward

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"testing"

	"github.com/seed-09a96375/belfry/engineio"
)

// BenchmarkPOST is a message over polling, on the session's own node and passed on
// by another one.
func BenchmarkPOST(b *testing.B) {
	nodes := cluster(b, 2, nil)
	for i, name := range []string{"own", "other"} {
		b.Run(name, func(b *testing.B) {
			p, s := open(b, nodes[0])
			s.quiet.Store(true)
			for b.Loop() {
				p.wantPost(nodes[i], "4hello")
				<-s.got
			}
		})
	}
}

// BenchmarkTunnel is what an idle WebSocket costs the node that passes it on: heap
// and stacks, without the kernel's share.
func BenchmarkTunnel(b *testing.B) {
	const n = 500
	nodes := cluster(b, 2, func(o *engineio.Options) { o.KeepHeaders = []string{} })
	var through [2]float64
	for b.Loop() {
		for i := range through {
			before := inUse(b, nodes, 0)
			conns := make([]net.Conn, n)
			for j := range conns {
				p, s := open(b, nodes[0])
				conns[j] = p.upgradeRaw(nodes[i])
				eventually(b, "the upgrade is over", func() bool { return s.Transport() == engineio.WebSocket })
				p.http.CloseIdleConnections()
			}
			through[i] = float64(inUse(b, nodes, nodes[0].Sessions())-before) / n
			for _, c := range conns {
				c.Close()
			}
			eventually(b, "all are gone", func() bool { return nodes[0].Sessions() == 0 && nodes[1].forward.Active() == 0 })
		}
	}
	b.ReportMetric(through[1]-through[0], "B/tunnel")
}

// inUse is the memory that is left when idle connections are closed. A WebSocket
// has no goroutine, here or there.
func inUse(b *testing.B, nodes []*node, sessions int) int64 {
	const always = 50
	nodes[1].forward.polling.close()
	eventually(b, "requests are over", func() bool { return runtime.NumGoroutine() < always+sessions/10 })
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// upgradeRaw moves a session to a WebSocket that keeps nothing but its connection.
func (p *poller) upgradeRaw(n *node) net.Conn {
	p.t.Helper()
	c, err := net.Dial("tcp", n.web.Listener.Addr().String())
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { c.Close() })
	if _, err := fmt.Fprintf(c, "GET /engine.io/?EIO=4&transport=websocket&sid=%s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", p.sid); err != nil {
		p.t.Fatal(err)
	}
	r := bufio.NewReader(c)
	if res, err := http.ReadResponse(r, nil); err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		p.t.Fatal(res, err)
	}
	probe := "\x81\x86\x00\x00\x00\x002probe"
	if _, err := io.WriteString(c, probe); err != nil {
		p.t.Fatal(err)
	}
	if _, err := io.ReadFull(r, make([]byte, 8)); err != nil {
		p.t.Fatal(err)
	}
	if _, err := io.WriteString(c, "\x81\x81\x00\x00\x00\x005"); err != nil {
		p.t.Fatal(err)
	}
	return c
}
