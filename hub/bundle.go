package hub

import (
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/poll/cork"
)

// bundle implements belfry.Bundle: a client that gets several of its messages is
// written to once.
type bundle struct {
	hub   *Hub
	cork  cork.Cork
	began time.Time // when the first that waits was delivered
}

// bundleWait bounds how long what was delivered first waits for the rest: large rooms
// take their time.
const bundleWait = time.Millisecond

// Bundle implements belfry.Bundler.
func (n node) Bundle() belfry.Bundle {
	b, _ := n.h.bundles.Get().(*bundle)
	if b == nil {
		b = &bundle{hub: n.h}
	}
	b.began = time.Now()
	b.cork.Close()
	return b
}

// Deliver implements belfry.Bundle. What changes who is where, or asks, comes after
// what was said before it.
func (b *bundle) Deliver(m *belfry.Message) {
	said := m.Kind == belfry.Emit && m.Request == 0
	if !said || time.Since(b.began) > bundleWait {
		b.cork.Flush()
		b.began = time.Now()
	}
	if said {
		b.hub.emit(b.hub.lookup(m.Namespace), m, &b.cork)
	} else {
		node{b.hub}.Deliver(m)
	}
}

// End implements belfry.Bundle.
func (b *bundle) End() {
	b.cork.Pull()
	b.hub.bundles.Put(b)
}
