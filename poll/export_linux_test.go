package poll

import "unsafe"

// ConnSize is what a connection takes while it is idle, less 8 bytes in the
// table.
const ConnSize = unsafe.Sizeof(conn{})

// CollectAlways makes every loop of g collect frames from its first timed write
// on, however little load there is, until the longest interval is reached.
func (g *Group) CollectAlways() {
	for _, l := range g.engine.loops {
		l.pace.mu.Lock()
		l.pace.target = -1
		l.pace.mu.Unlock()
	}
}
