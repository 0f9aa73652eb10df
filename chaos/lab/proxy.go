package lab

import (
	"fmt"
	"strings"
	"sync"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/Shopify/toxiproxy/v2/toxics"
	"github.com/rs/zerolog"
)

// Proxy is a TCP proxy that can be broken.
type Proxy struct {
	proxy *toxiproxy.Proxy
	deaf  *deafToxic
}

var registerOnce = sync.OnceFunc(func() { toxics.Register(deafName, new(deafToxic)) })

// newProxy listens at a free port and passes on to the address.
func newProxy(name, to string) (*Proxy, error) {
	registerOnce()
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	p := &Proxy{proxy: toxiproxy.NewProxy(server, name, address(port), to)}
	if err := p.proxy.Start(); err != nil {
		return nil, fmt.Errorf("proxy %s: %w", name, err)
	}
	added, err := p.proxy.Toxics.AddToxicJson(strings.NewReader(`{"type":"` + deafName + `","stream":"downstream"}`))
	if err != nil {
		return nil, fmt.Errorf("proxy %s: %w", name, err)
	}
	p.deaf, _ = added.Toxic.(*deafToxic)
	return p, nil
}

// Addr is where the proxy listens.
func (p *Proxy) Addr() string { return p.proxy.Listen }

// Cut closes all connections and lets no new ones in until Mend.
func (p *Proxy) Cut() { p.proxy.Stop() }

// Mend lets connections in again.
func (p *Proxy) Mend() error { return p.proxy.Start() }

// Deafen swallows, from now on, everything that comes from the server over the
// subscription connections that are open. They stay open, and other and new
// connections work.
func (p *Proxy) Deafen() { p.deaf.generation.Add(1) }
