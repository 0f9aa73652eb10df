package socketio

import (
	"context"
	"fmt"

	"github.com/seed-09a96375/belfry/engineio"
	"github.com/seed-09a96375/belfry/socketio/packet"
)

// receive runs the handlers of one event.
func (s *Socket) receive(p *packet.Packet) {
	ctx := s.Context()
	s.client.limiter.Wait(ctx, s.nsp.server.opts.MaxEventsPerSecond)
	name, err := packet.EventName(p.Data)
	if err != nil {
		s.client.fail(err)
		return
	}
	args := eventArgs(p.Data, p.Attachments)
	own, shared := s.own.Load(), s.nsp.handlers
	h := pick(name, own, shared)
	if h == nil {
		s.receiveOther(ctx, p, name, args, own, shared)
		return
	}
	var values []any
	err = s.guard("event handler", func() (err error) {
		if err := s.announce(ctx, name, args, own, shared); err != nil {
			return err
		}
		values, err = h(ctx, s, args)
		return err
	})
	if p.HasID {
		s.reply(p.ID, values, err)
	}
}

// receiveOther is receive for an event without a handler of its own.
func (s *Socket) receiveOther(ctx context.Context, p *packet.Packet, name []byte, args Args, own, shared *handlers) {
	ack := s.acknowledge(p)
	err := s.guard("event handler", func() error {
		if err := s.announce(ctx, name, args, own, shared); err != nil {
			return err
		}
		if h := pickOther(own, shared); h != nil {
			h(ctx, s, string(name), args, ack)
		}
		return nil
	})
	if err != nil && ack != nil {
		ack(Args{}, err)
	}
}

func pick(name []byte, own, shared *handlers) handler {
	if own != nil {
		if h := own.get(name); h != nil {
			return h
		}
	}
	return shared.get(name)
}

// announce runs what sees every event: middlewares, then catch-all handlers.
func (s *Socket) announce(ctx context.Context, name []byte, args Args, own, shared *handlers) error {
	all := shared.load()
	if own == nil && len(all.eventChain) == 0 && len(all.incoming) == 0 {
		return nil
	}
	event := string(name)
	for _, m := range all.eventChain {
		if err := m(ctx, s, event, args); err != nil {
			return err
		}
	}
	if own != nil {
		for _, f := range own.load().incoming {
			f(s, event, args)
		}
	}
	for _, f := range all.incoming {
		f(s, event, args)
	}
	return nil
}

// reply sends the ack of an event.
func (s *Socket) reply(id uint64, values []any, err error) {
	p := packet.Packet{Type: packet.Ack, Namespace: s.nsp.name, ID: id, HasID: true}
	if err == nil {
		p.Data, p.Attachments, err = marshalArgs(values)
	}
	if err != nil {
		p.Data, p.Attachments = errorAck(err), nil
	}
	_ = s.client.send(p, engineio.SendOptions{}) // the client gets it, or it has gone
}

var errTextInMsgpack = fmt.Errorf("text message from a client that uses the msgpack parser")
