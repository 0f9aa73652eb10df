package socketio

import (
	"context"
	"time"
)

// Context ends when the socket is disconnected. It costs nothing until someone
// waits for it.
func (s *Socket) Context() context.Context { return (*socketContext)(s) }

// socketContext is the context of a socket, without an allocation.
type socketContext Socket

func (c *socketContext) Deadline() (time.Time, bool) { return time.Time{}, false }
func (c *socketContext) Value(any) any               { return nil }

func (c *socketContext) Done() <-chan struct{} {
	s := (*Socket)(c)
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.more()
	if x.done == nil {
		x.done = make(chan struct{})
		if s.state.Load() == disconnected {
			close(x.done)
		}
	}
	return x.done
}

func (c *socketContext) Err() error {
	if (*Socket)(c).state.Load() == disconnected {
		return context.Canceled
	}
	return nil
}
