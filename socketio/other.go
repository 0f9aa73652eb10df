package socketio

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"sync"

	"github.com/seed-09a96375/belfry/socketio/packet"
)

// Acknowledge answers the event of a client, once: what is said after that is not
// sent. An error reaches the client as that of a handler. It may be called from any
// goroutine, at any time. Safe for concurrent use.
type Acknowledge func(args Args, err error)

// OtherHandler handles an event of any name. ack is nil if the client wants none;
// until it is called the client waits. See On for what else holds.
type OtherHandler func(ctx context.Context, s *Socket, event string, args Args, ack Acknowledge)

// OnOther calls h for every event that has no handler: one of the socket goes before
// that of the namespace. Without it such events are ignored, and who waits for an ack
// waits in vain. A second registration replaces the first; nil removes it.
func OnOther(r Registrar, h OtherHandler) {
	r.registry().change(func(k *hooks) { k.other = h })
}

func pickOther(own, shared *handlers) OtherHandler {
	if own != nil {
		if h := own.load().other; h != nil {
			return h
		}
	}
	return shared.load().other
}

// acknowledge returns what answers an event, nil if the client wants no answer.
func (s *Socket) acknowledge(p *packet.Packet) Acknowledge {
	if !p.HasID {
		return nil
	}
	var once sync.Once
	id := p.ID
	return func(args Args, err error) { once.Do(func() { s.reply(id, args.values(), err) }) }
}

// Array returns the arguments as one JSON array, in which binary values are
// placeholders for the attachments.
func (a Args) Array() (array json.RawMessage, attachments [][]byte) { return a.array(), a.attachments }

var errNotArray = errors.New("the arguments are not a JSON array")

// NewArgs is the reverse of Args.Array. array must be valid JSON, an array: only the
// latter is checked.
func NewArgs(array json.RawMessage, attachments [][]byte) (Args, error) {
	if text := bytes.TrimLeft(array, " \t\r\n"); len(text) == 0 || text[0] != '[' {
		return Args{}, errNotArray
	}
	return newArgs(array, attachments), countAttachments(attachments)
}
