package redis

import "github.com/seed-09a96375/belfry"

// Messages that came in one push, or wait one behind the other, are one bundle: what
// they are to the same client is written with one call. The feed waits for nothing
// while there is one.

// join begins a bundle, or goes on with it, if what is to be handled is messages and
// not the only one.
func (f *feed) join(k bodyKind) {
	switch {
	case k != kindMessage && k != kindBatch:
		f.part()
	case f.bundle == nil && (k == kindBatch || len(f.queue) > 0):
		if n, ok := f.link.node.(belfry.Bundler); ok {
			f.bundle = n.Bundle()
		}
	}
}

// part ends the bundle, if there is one.
func (f *feed) part() {
	if f.bundle != nil {
		f.bundle.End()
		f.bundle = nil
	}
}

// hand delivers a message.
func (f *feed) hand(m *belfry.Message) {
	if f.bundle != nil {
		f.bundle.Deliver(m)
	} else {
		f.link.node.Deliver(m)
	}
}
