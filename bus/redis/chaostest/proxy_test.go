//go:build unix

package chaostest

import (
	"context"
	"strings"
	"testing"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

// proxy stands between a node and Redis.
type proxy struct {
	t *testing.T
	*toxiproxy.Proxy
}

func newProxy(t *testing.T, to *redistest.Server) *proxy {
	t.Helper()
	s := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	p := &proxy{t, toxiproxy.NewProxy(s, t.Name(), "127.0.0.1:"+redistest.FreePort(t), to.Addr())}
	p.restore()
	t.Cleanup(p.cut)
	return p
}

func (p *proxy) url() string { return "redis://" + p.Listen }

// cut ends all connections and lets no new ones in.
func (p *proxy) cut() { p.Stop() }

func (p *proxy) restore() {
	p.t.Helper()
	if err := p.Start(); err != nil {
		p.t.Fatal(err)
	}
}

// swallow drops, from now on, what flows in a direction: "downstream" is to the
// node, "upstream" to Redis. Connections stay.
func (p *proxy) swallow(direction string) {
	p.t.Helper()
	_, err := p.Toxics.AddToxicJson(strings.NewReader(
		`{"name":"swallow","type":"timeout","stream":"` + direction + `","attributes":{"timeout":0}}`))
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *proxy) spit() {
	p.t.Helper()
	if err := p.Toxics.RemoveToxic(context.Background(), "swallow"); err != nil {
		p.t.Fatal(err)
	}
}
