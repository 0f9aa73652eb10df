package engineio

import "sync/atomic"

// gate keeps the calls of a Receiver apart from its last one: whoever closes the
// session leaves the last call to the one who is inside, if there is one.
type gate struct{ v atomic.Uint32 }

const (
	gateInside uint32 = 1 << iota
	gateShut
)

// enter reports whether the caller may call the Receiver; it must then leave.
// At most one caller tries at a time.
func (g *gate) enter() bool { return g.v.CompareAndSwap(0, gateInside) }

// leave reports whether the gate was shut meanwhile: the caller has the last
// call.
func (g *gate) leave() bool { return g.v.And(^gateInside)&gateShut != 0 }

// shut reports whether nobody is inside: the caller has the last call. It is
// called once.
func (g *gate) shut() bool { return g.v.Or(gateShut) == 0 }
