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

// outgoing is an event for all its receivers. A MESSAGE frame is three parts, of
// which the last is by far the largest:
//
//	head    command, subscription, destination     of the subscription
//	id      message-id, ack                        of the event, or of one message
//	tail    event, content-type, body              of the event
//
// Clients of the same program name their subscriptions alike: those share the whole
// frame, so that nothing is copied for any of them.
type outgoing struct {
	content
	message *belfry.Message
	id      string // the header message-id, with its line feed
	policy  SlowPolicy
	// correlation is the header correlation-id of an answer; empty: none.
	correlation string

	tails [frame.V12 + 1]atomic.Pointer[[]byte] // by version
	last  atomic.Pointer[shared]                // what was asked for last

	mu     sync.Mutex
	frames map[shape][]byte // nil: there is but one
}

// shape is what MESSAGE frames of one event differ by.
type shape struct {
	head    string
	version frame.Version
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
		o.id = s.nextID()
		if s.o.Slow != nil {
			o.policy = s.o.Slow(m)
		}
		return o
	}).(*outgoing)
}

// nextID is the header message-id of the next event.
func (s *Server) nextID() string {
	return "message-id:" + string(s.hub.ID()) + "-" + strconv.FormatUint(s.messages.Add(1), 10) + "\n"
}

// newHead is the first part of a subscription's MESSAGE frames.
func (sub *subscription) newHead(v frame.Version) string {
	b := frame.AppendCommand(nil, frame.Message)
	b = frame.AppendHeader(b, v, "subscription", sub.id)
	return string(frame.AppendHeader(b, v, "destination", sub.destination))
}

// share returns the frame for a subscription that wants no acknowledgement.
func (o *outgoing) share(sub *subscription, v frame.Version) []byte {
	want := shape{sub.head, v}
	last := o.last.Load()
	if last == nil {
		first := &shared{want, o.build(sub, v, o.id)}
		if o.last.CompareAndSwap(nil, first) {
			return first.frame
		}
		last = o.last.Load()
	}
	if last.shape == want {
		return last.frame
	}
	o.mu.Lock()
	b, ok := o.frames[want]
	full := len(o.frames) >= maxShapes
	o.mu.Unlock()
	switch {
	case ok:
		o.last.Store(&shared{want, b})
	case full:
		return o.build(sub, v, o.id)
	default:
		b = o.build(sub, v, o.id)
		o.keep(last, want, b)
	}
	return b
}

// keep remembers a frame, and the one that there was before.
func (o *outgoing) keep(last *shared, want shape, b []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.frames == nil {
		o.frames = make(map[shape][]byte)
	}
	o.frames[last.shape] = last.frame
	o.frames[want] = b
}

// build makes a WebSocket frame with a MESSAGE. id are the headers that name it.
func (o *outgoing) build(sub *subscription, v frame.Version, id string) []byte {
	tail := o.tail(v)
	b := make([]byte, websocket.MaxHeader, websocket.MaxHeader+len(sub.head)+len(id)+len(tail))
	b = append(append(append(b, sub.head...), id...), tail...)
	op := websocket.Text
	if o.binary {
		op = websocket.Binary
	}
	return websocket.PutHeader(b, websocket.MaxHeader, op)
}

// tail returns what all frames of a version end with.
func (o *outgoing) tail(v frame.Version) []byte {
	if p := o.tails[v].Load(); p != nil {
		return *p
	}
	b := make([]byte, 0, len(o.body)+len(o.event)+len(o.contentType)+64)
	b = frame.AppendHeader(b, v, "event", o.event)
	if o.args != "" {
		b = frame.AppendHeader(b, v, "args", o.args)
	}
	if o.correlation != "" {
		b = frame.AppendHeader(b, v, "correlation-id", o.correlation)
	}
	b = frame.AppendHeader(b, v, "content-type", o.contentType)
	b = frame.AppendBody(b, o.body)
	o.tails[v].Store(&b) // who comes at the same time makes the same
	return b
}
