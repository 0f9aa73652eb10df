package serve

import (
	"time"

	"github.com/seed-09a96375/belfry/stomp"
)

// STOMP says how STOMP clients are served. What is not here they share with others:
// origins, heart-beats and limits of the node.
type STOMP struct {
	// Path of the WebSocket. SockJS clients use the path /websocket below it. Empty:
	// STOMP is not served.
	Path string
	// MaxSubscriptions bounds those of a client; see stomp.Options.
	MaxSubscriptions int
	// MaxUnacked bounds the messages that a client has not acknowledged; see
	// stomp.Options.
	MaxUnacked int
}

// options without what is shared with others.
func (s STOMP) options() stomp.Options {
	return stomp.Options{MaxSubscriptions: s.MaxSubscriptions, MaxUnacked: s.MaxUnacked}
}

// openSTOMP adds the front, if it is served.
func (n *node) openSTOMP(f *fronts) error {
	if n.o.STOMP.Path == "" {
		return nil
	}
	o := n.o.stomp()
	o.Poller, o.Places, o.App = f.io.Engine().Poller(), n.places, n.routes.fromSTOMP
	n.guard.GuardSTOMP(&o)
	var err error
	f.stomp, err = stomp.New(f.io.Hub(), o)
	return err
}

// leastHeartbeat is what stomp takes. Less is for tests of the other fronts.
const leastHeartbeat = 10 * time.Millisecond

func (o Options) stomp() stomp.Options {
	s := o.STOMP.options()
	s.Origins, s.MaxFramesPerSecond, s.Logger = o.Origins, o.MaxEventsPerSecond, o.Logger
	s.Limits.MaxBody = o.MaxMessage
	if o.PingInterval != 0 {
		s.Heartbeat = max(o.PingInterval, leastHeartbeat)
	}
	return s
}
