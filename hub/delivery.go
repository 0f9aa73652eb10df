package hub

import (
	"sync"
	"sync/atomic"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/poll/cork"
)

// Form numbers the encodings of a message. Each front has its own.
type Form uint8

const (
	SocketIO        Form = iota // text packets
	SocketIOMsgpack             // packets of the msgpack parser
	STOMP                       // MESSAGE frames
	Plain                       // JSON over WebSocket
	EventStream                 // Server-Sent Events
	forms
)

// Delivery is one message on this node. Whatever encodings its receivers need
// are made once, by the first that needs it, and shared.
type Delivery struct {
	*belfry.Message
	// Cork goes with the frames that are written of it.
	Cork *cork.Cork

	mu      sync.Mutex
	encoded [forms]atomic.Pointer[any]
}

// Encoded returns the encoding in form f, made by encode on first use. encode
// may run on any of the goroutines that deliver, one at a time.
func (d *Delivery) Encoded(f Form, encode func(*belfry.Message) any) any {
	if p := d.encoded[f].Load(); p != nil {
		return *p
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if p := d.encoded[f].Load(); p != nil {
		return *p
	}
	v := encode(d.Message)
	d.encoded[f].Store(&v)
	return v
}
