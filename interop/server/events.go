package main

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/socketio"
)

// Short names for what every handler has.
type (
	none   = socketio.None
	args   = socketio.Args
	socket = *socketio.Socket
)

// handle gives a namespace the events of the contract.
func (c contract) handle(n *socketio.Namespace) {
	handshake(n)
	echoes(n)
	rooms(n)
	cluster(n)
	sequences(n)
	c.acks(n)
	c.endings(n)
}

func handshake(n *socketio.Namespace) {
	socketio.OnAck(n, "auth", func(_ context.Context, s socket, _ none) (json.RawMessage, error) {
		return s.Handshake().Auth, nil
	})
	socketio.OnAck(n, "query", func(_ context.Context, s socket, _ none) (map[string]string, error) {
		return s.Handshake().Query, nil
	})
	socketio.OnAck(n, "recovered", func(_ context.Context, s socket, _ none) (bool, error) {
		return s.Recovered(), nil
	})
	socketio.OnAck(n, "data", func(_ context.Context, s socket, a args) (json.RawMessage, error) {
		if a.Len() > 0 {
			s.SetData(a.Raw(0))
		}
		data, ok := socketio.Data[json.RawMessage](s)
		if !ok {
			return json.RawMessage("null"), nil
		}
		return data, nil
	})
}

func echoes(n *socketio.Namespace) {
	socketio.OnAck(n, "echo", func(_ context.Context, _ socket, a args) (args, error) { return a, nil })
	socketio.On(n, "say-back", func(ctx context.Context, s socket, a args) error {
		return s.Emit(ctx, "said", a)
	})
	socketio.On(n, "squeeze", func(ctx context.Context, s socket, a args) error {
		return s.Compress(true).Emit(ctx, "said", a)
	})
	socketio.OnAck(n, "ask-me", func(ctx context.Context, s socket, a args) (args, error) {
		return s.EmitAck(ctx, "question", a)
	})
}

// how says to whom something is told.
type how struct {
	Sender   *bool         `json:"sender"` // false: not to the sender
	To       []belfry.Room `json:"to"`
	Except   []belfry.Room `json:"except"`
	Volatile bool          `json:"volatile"`
	Local    bool          `json:"local"`
	Event    string        `json:"event"` // default "told"
}

func (h how) of(s socket) socketio.Broadcast {
	b := s.Namespace().To()
	if h.Sender != nil && !*h.Sender {
		b = s.Broadcast()
	}
	b = b.To(h.To...).Except(h.Except...)
	if h.Volatile {
		b = b.Volatile()
	}
	if h.Local {
		b = b.Local()
	}
	return b
}

func rooms(n *socketio.Namespace) {
	socketio.OnAck(n, "join", func(_ context.Context, s socket, names []belfry.Room) (none, error) {
		return none{}, s.Join(names...)
	})
	socketio.OnAck(n, "leave", func(_ context.Context, s socket, name belfry.Room) (none, error) {
		s.Leave(name)
		return none{}, nil
	})
	socketio.OnAck(n, "rooms", func(_ context.Context, s socket, _ none) ([]belfry.Room, error) {
		return slices.Sorted(slices.Values(s.Rooms())), nil
	})
	socketio.OnAck2(n, "tell", func(ctx context.Context, s socket, h how, payload any) (none, error) {
		if h.Event == "" {
			h.Event = "told"
		}
		return none{}, h.of(s).Emit(ctx, h.Event, payload)
	})
}

// sequences is about the order of many events.
func sequences(n *socketio.Namespace) {
	socketio.On(n, "count", func(ctx context.Context, s socket, n int) error {
		for i := range n {
			if err := s.Emit(ctx, "number", i); err != nil {
				return err
			}
		}
		return nil
	})
	n.OnConnect(func(_ context.Context, s socket) {
		seen := []int{}
		socketio.On(s, "number", func(_ context.Context, _ socket, n int) error {
			seen = append(seen, n)
			return nil
		})
		socketio.OnAck(s, "numbers", func(context.Context, socket, none) ([]int, error) { return seen, nil })
	})
}

// acks answers late, or not at all: "never" has no handler.
func (c contract) acks(n *socketio.Namespace) {
	socketio.OnAck(n, "late", func(ctx context.Context, _ socket, ms int) (string, error) {
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(ms) * time.Millisecond):
		}
		return "late", nil
	})
	// An event without a handler is not acknowledged: the handler comes for the
	// third time only.
	n.OnAny(func(s socket, event string, a args) {
		var id string
		if event != "third-time" || a.Decode(&id) != nil {
			return
		}
		if c.records.attempt(id) == 2 {
			socketio.OnAck(s, event, func(context.Context, socket, none) (int, error) { return 3, nil })
		}
	})
}

func (c contract) endings(n *socketio.Namespace) {
	socketio.On(n, "kick", func(_ context.Context, s socket, whole bool) error {
		s.Disconnect(whole)
		return nil
	})
	socketio.OnAck(n, "record", func(_ context.Context, _ socket, id belfry.SocketID) (*record, error) {
		return c.records.of(id), nil
	})
}
