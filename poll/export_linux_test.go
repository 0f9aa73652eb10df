package poll

import (
	"time"
	"unsafe"
)

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

// RunTasks has every loop of g run what is left to Go itself, until it judges for the
// first time whether it should.
func (g *Group) RunTasks() {
	for _, l := range g.engine.loops {
		l.watchTasks()
	}
}

// Trial is how a loop judges that.
type Trial struct{ trial }

// Judge is judge.
func (r *Trial) Judge(own bool, n int, took, now time.Duration) bool {
	return r.judge(own, n, took, now)
}
