package engineio

import "time"

// Silence is how long a client may at most be connected without having answered
// a ping: whoever is still connected that long after a message was sent to it has
// received it.
func (o Options) Silence() time.Duration {
	o = o.withDefaults()
	return o.PingInterval + o.PingTimeout
}
