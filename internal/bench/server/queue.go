package server

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/queue/redisstream"
	"github.com/seed-09a96375/belfry/socketio"
)

// queueGroup is the group whose entries nobody takes: what consumers cost is not
// measured.
const queueGroup = "bench"

// openQueue opens the queue that echo appends to before it acks; nil if none is
// wanted. The caller calls end.
func (o Options) openQueue(ctx context.Context) (q *redisstream.Queue, end func(), err error) {
	if o.Queue == "" {
		return nil, func() {}, nil
	}
	if o.Bus.URL == "" {
		return nil, nil, errors.New("server: Options.Queue needs the Redis of Options.Bus")
	}
	connection, err := o.Bus.Connection()
	if err != nil {
		return nil, nil, err
	}
	client, err := connection.Open(ctx)
	if err != nil {
		return nil, nil, err
	}
	q, err = redisstream.New(ctx, redisstream.Options{
		Client: client, Name: o.Queue, Groups: []string{queueGroup}, TrimEvery: -1, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		client.Close()
		return nil, nil, err
	}
	return q, func() { q.Close(); client.Close() }, nil
}

// enqueue acks an echo once the queue has it.
func enqueue(q *redisstream.Queue, node belfry.NodeID) func(context.Context, *socketio.Socket, json.RawMessage) (json.RawMessage, error) {
	return func(ctx context.Context, s *socketio.Socket, payload json.RawMessage) (json.RawMessage, error) {
		args := make([]byte, 0, len(payload)+2)
		args = append(append(append(args, '['), payload...), ']')
		return payload, q.Append(ctx, &belfry.Event{
			ID: rand.Text(), Namespace: "/", Name: "echo", Args: args, Socket: s.ID(), Node: node, Time: time.Now(),
		})
	}
}
