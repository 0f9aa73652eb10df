package socketio

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/socketio/packet"
)

// Registrar is where handlers are registered: a *Server (its main namespace), a
// *Namespace (all its sockets) or a *Socket (that one; it goes before the
// namespace's).
type Registrar interface{ registry() *handlers }

// None is the argument of an event without arguments.
type None struct{}

// On calls h for every event of that name, with its first argument decoded into
// T as encoding/json does; an argument that is missing gives the zero T, further
// ones are ignored. T may be Args for all arguments undecoded, json.RawMessage
// for one undecoded, []byte for a binary one, None for none.
//
// The events of one client run one after the other in a goroutine that may
// block; ctx ends with the socket. If the client wants an ack it gets an empty
// one, or {"error":{"message":"…"}} if h fails or the argument does not fit T, with a
// "code" if the error has a method ErrorCode() string. A second registration of a name
// replaces the first.
func On[T any](r Registrar, event string, h func(ctx context.Context, s *Socket, arg T) error) {
	decode := argument[T](0)
	r.registry().set(event, func(ctx context.Context, s *Socket, a Args) ([]any, error) {
		v, err := decode(a)
		if err != nil {
			return nil, err
		}
		return nil, h(ctx, s, v)
	})
}

// On2 is On for events with two arguments.
func On2[T, U any](r Registrar, event string, h func(ctx context.Context, s *Socket, a T, b U) error) {
	first, second := argument[T](0), argument[U](1)
	r.registry().set(event, func(ctx context.Context, s *Socket, a Args) ([]any, error) {
		v, err := first(a)
		if err != nil {
			return nil, err
		}
		w, err := second(a)
		if err != nil {
			return nil, err
		}
		return nil, h(ctx, s, v, w)
	})
}

// OnAck is On for events that are answered: what h returns is the argument of
// the client's ack.
func OnAck[T, R any](r Registrar, event string, h func(ctx context.Context, s *Socket, arg T) (R, error)) {
	decode := argument[T](0)
	r.registry().set(event, func(ctx context.Context, s *Socket, a Args) ([]any, error) {
		v, err := decode(a)
		if err != nil {
			return nil, err
		}
		return answer(h(ctx, s, v))
	})
}

// OnAck2 is OnAck for events with two arguments.
func OnAck2[T, U, R any](r Registrar, event string, h func(ctx context.Context, s *Socket, a T, b U) (R, error)) {
	first, second := argument[T](0), argument[U](1)
	r.registry().set(event, func(ctx context.Context, s *Socket, a Args) ([]any, error) {
		v, err := first(a)
		if err != nil {
			return nil, err
		}
		w, err := second(a)
		if err != nil {
			return nil, err
		}
		return answer(h(ctx, s, v, w))
	})
}

// Off removes the handler of an event.
func Off(r Registrar, event string) { r.registry().set(event, nil) }

func answer[R any](v R, err error) ([]any, error) {
	if err != nil {
		return nil, err
	}
	switch a := any(v).(type) {
	case None:
		return nil, nil
	case Args:
		return a.values(), nil
	}
	return []any{v}, nil
}

// argument returns the decoder of argument i into T. What T is gets decided once,
// here, not at each event.
func argument[T any](i int) func(Args) (T, error) {
	switch any((*T)(nil)).(type) {
	case *None:
		return func(Args) (v T, err error) { return v, nil }
	case *Args:
		return func(a Args) (T, error) { return any(a).(T), nil }
	case *json.RawMessage:
		return func(a Args) (v T, err error) {
			*any(&v).(*json.RawMessage) = a.Raw(i)
			return v, nil
		}
	}
	return func(a Args) (v T, err error) {
		raw := a.Raw(i)
		if raw == nil {
			return v, nil
		}
		if err := packet.Unmarshal(raw, a.attachments, &v); err != nil {
			return v, fmt.Errorf("argument %d: %w", i+1, err)
		}
		return v, nil
	}
}

// handler handles one event. Its values become the ack.
type handler func(ctx context.Context, s *Socket, a Args) ([]any, error)

// handlers are what is registered in one place. Reading takes no lock.
type handlers struct {
	mu     sync.Mutex // one writer at a time
	events atomic.Pointer[map[string]handler]
	hooks  atomic.Pointer[hooks]
}

// hooks are the registrations without an event name. A stored value is never
// changed.
type hooks struct {
	middlewares []Middleware
	eventChain  []EventMiddleware
	connect     []func(context.Context, *Socket)
	disconnect  []func(*Socket, Reason)
	incoming    []func(*Socket, string, Args)
	outgoing    []func(*Socket, string, Args)
	errors      []func(*Socket, error)
	roomChange  []func(context.Context, belfry.Room) error
	other       OtherHandler // nil: none
	serverSide  map[string]func(context.Context, Args) ([]any, error)
}

func (h *handlers) set(event string, f handler) {
	h.mu.Lock()
	defer h.mu.Unlock()
	next := make(map[string]handler)
	if old := h.events.Load(); old != nil {
		maps.Copy(next, *old)
	}
	if f == nil {
		delete(next, event)
	} else {
		next[event] = f
	}
	h.events.Store(&next)
}

// get returns the handler of an event, or nil.
func (h *handlers) get(event []byte) handler {
	if m := h.events.Load(); m != nil {
		return (*m)[string(event)]
	}
	return nil
}

var noHooks hooks

func (h *handlers) load() *hooks {
	if k := h.hooks.Load(); k != nil {
		return k
	}
	return &noHooks
}

// change stores a copy of the hooks with f's change in it. f must append by
// making a new array.
func (h *handlers) change(f func(*hooks)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	next := *h.load()
	f(&next)
	h.hooks.Store(&next)
}
