package stomp

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/seed-09a96375/belfry/poll"
	"github.com/seed-09a96375/belfry/stomp/frame"
	"github.com/seed-09a96375/belfry/websocket"
)

// unacked is a MESSAGE that the client has not acknowledged.
type unacked struct {
	id      uint64 // in ascending order; the headers message-id and ack
	sub     *subscription
	settled func(ok bool) // nil: nobody waits for it
}

// sendUnacked sends a MESSAGE that has to be acknowledged. A room is no queue:
// whatever the client says, it is not delivered again.
func (c *Conn) sendUnacked(out *outgoing, sub *subscription, settled func(ok bool)) {
	x := c.extra()
	x.mu.Lock()
	full := len(x.unacked) >= c.server.o.MaxUnacked
	if !full {
		x.acks++
		x.unacked = append(x.unacked, unacked{x.acks, sub, settled})
		n := strconv.FormatUint(x.acks, 10)
		id := "message-id:" + n + "\n"
		if c.version == frame.V12 {
			id += "ack:" + n + "\n"
		}
		c.pulse.wroteAt(c.server.wheel)
		// With the lock held, lest a later message overtakes it.
		_ = c.ws.Send(poll.Frame{Data: out.build(sub, c.version, id)})
	}
	x.mu.Unlock()
	if full {
		c.fail(&refusal{
			code:    websocket.ClosePolicy,
			message: "more than " + strconv.Itoa(c.server.o.MaxUnacked) + " messages are not acknowledged",
		}, "")
	}
}

// settle does what ACK or NACK says.
func (c *Conn) settle(f *frame.Frame) error {
	header := "message-id"
	if c.version == frame.V12 {
		header = "id"
	}
	id, err := strconv.ParseUint(f.Value(header), 10, 64)
	if err != nil {
		return invalid("%s with %s %q, which no message has", f.Command, header, f.Value(header))
	}
	done, known := c.takeUnacked(id, f.Value("subscription"))
	if !known {
		return invalid("%s with %s %d, which no message has", f.Command, header, id)
	}
	for _, u := range done {
		if u.settled != nil {
			u.settled(f.Command == frame.Ack)
		}
	}
	return nil
}

// takeUnacked removes what an acknowledgement of id settles. A message that is not
// waited for any more, since its subscription is over, settles nothing. known is
// false for what never was sent.
func (c *Conn) takeUnacked(id uint64, subscription string) (done []unacked, known bool) {
	x := c.extra()
	x.mu.Lock()
	defer x.mu.Unlock()
	if id == 0 || id > x.acks {
		return nil, false
	}
	i, found := slices.BinarySearchFunc(x.unacked, id, func(u unacked, id uint64) int { return cmp.Compare(u.id, id) })
	if !found {
		return nil, true
	}
	sub := x.unacked[i].sub
	if subscription != "" && c.version != frame.V12 && subscription != sub.id {
		return nil, false
	}
	x.unacked = slices.DeleteFunc(x.unacked, func(u unacked) bool {
		settles := u.id == id || sub.ack == cumulative && u.sub == sub && u.id < id
		if settles {
			done = append(done, u)
		}
		return settles
	})
	return done, true
}

// forgetUnacked removes what a subscription waits for; nil: all of them.
func (c *Conn) forgetUnacked(sub *subscription) {
	c.mu.Lock()
	x := c.more
	c.mu.Unlock()
	if x == nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.unacked = slices.DeleteFunc(x.unacked, func(u unacked) bool { return sub == nil || u.sub == sub })
}
