package stomp

import (
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/poll"
	"github.com/seed-09a96375/belfry/stomp/frame"
	"github.com/seed-09a96375/belfry/websocket"
)

// outgoing is an event for all its receivers. A MESSAGE frame differs between them
// by the id of the subscription, and clients of the same program give the same ids:
// those share the whole frame, so that nothing is copied for any of them.
type outgoing struct {
	content
	message *belfry.Message
	id      string // message-id
	policy  SlowPolicy

	last atomic.Pointer[shared] // what was asked for last

	mu     sync.Mutex
	frames map[shape][]byte
}

// shape is what MESSAGE frames of one event differ by.
type shape struct {
	subscription, destination string
	version                   frame.Version
}

type shared struct {
	shape
	frame []byte
}

// maxShapes bounds the frames that are kept of one event: beyond it every receiver
// has its own.
const maxShapes = 64

// encode returns d for STOMP.
func (s *Server) encode(d *hub.Delivery) *outgoing {
	return d.Encoded(hub.STOMP, func(m *belfry.Message) any {
		o := &outgoing{content: newContent(m), message: m, policy: poll.CloseSlow}
		o.id = string(s.hub.ID()) + "-" + strconv.FormatUint(s.messages.Add(1), 10)
		if s.o.Slow != nil {
			o.policy = s.o.Slow(m)
		}
		return o
	}).(*outgoing)
}

// share returns the frame for a subscription that wants no acknowledgement.
func (o *outgoing) share(sub *subscription, v frame.Version) []byte {
	want := shape{sub.id, sub.destination, v}
	if last := o.last.Load(); last != nil && last.shape == want {
		return last.frame
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	b, ok := o.frames[want]
	if !ok {
		b = o.build(want, o.id, "")
		if o.frames == nil {
			o.frames = make(map[shape][]byte)
		}
		if len(o.frames) < maxShapes {
			o.frames[want] = b
		}
	}
	o.last.Store(&shared{want, b})
	return b
}

// build makes a WebSocket frame with a MESSAGE.
func (o *outgoing) build(s shape, id, ack string) []byte {
	b := frame.AppendCommand(newBuffer(len(o.body)), frame.Message)
	b = frame.AppendHeader(b, s.version, "subscription", s.subscription)
	b = frame.AppendHeader(b, s.version, "message-id", id)
	b = frame.AppendHeader(b, s.version, "destination", s.destination)
	if ack != "" && s.version == frame.V12 {
		b = frame.AppendHeader(b, s.version, "ack", ack)
	}
	b = frame.AppendHeader(b, s.version, "event", o.event)
	if o.args != "" {
		b = frame.AppendHeader(b, s.version, "args", o.args)
	}
	b = frame.AppendHeader(b, s.version, "content-type", o.contentType)
	b = frame.AppendBody(b, o.body)
	if o.binary {
		return websocket.PutHeader(b, websocket.MaxHeader, websocket.Binary)
	}
	return websocket.PutHeader(b, websocket.MaxHeader, websocket.Text)
}
