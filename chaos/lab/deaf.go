package lab

import (
	"bytes"
	"sync/atomic"

	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"
)

const deafName = "deaf"

// deafToxic lets subscription connections of an earlier generation go silent.
// It must be there from the start of a connection, to see what that is for.
type deafToxic struct{ generation atomic.Int64 }

// deafState is what is known of one connection.
type deafState struct {
	generation   int64
	isSubscribed bool
	tail         []byte // the end of what came, should a confirmation be split
}

// NewState begins a connection.
func (t *deafToxic) NewState() any { return &deafState{generation: t.generation.Load()} }

// Pipe passes on what comes, or drops it.
func (t *deafToxic) Pipe(stub *toxics.ToxicStub) {
	state, ok := stub.State.(*deafState)
	if !ok {
		return
	}
	for {
		select {
		case <-stub.Interrupt:
			return
		case c := <-stub.Input:
			if c == nil {
				stub.Close()
				return
			}
			if state.look(c); !state.isSubscribed || state.generation == t.generation.Load() {
				stub.Output <- c
			}
		}
	}
}

// confirmation is part of what Redis answers to SUBSCRIBE, PSUBSCRIBE and
// SSUBSCRIBE, in both versions of its protocol, and of nothing else here.
var confirmation = []byte("subscribe\r\n")

func (s *deafState) look(c *stream.StreamChunk) {
	if s.isSubscribed {
		return
	}
	seen := append(s.tail, c.Data...)
	s.isSubscribed = bytes.Contains(seen, confirmation)
	s.tail = append([]byte(nil), seen[max(0, len(seen)-len(confirmation)):]...)
}
