package main

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/socketio"
)

// answers is what came of a question to many.
type answers struct {
	Error   *string           `json:"error"`
	Answers []json.RawMessage `json:"answers"`
}

func gather(all []args, err error, failure string) answers {
	a := answers{Answers: []json.RawMessage{}}
	for _, one := range all {
		a.Answers = append(a.Answers, one.Raw(0))
	}
	slices.SortFunc(a.Answers, func(x, y json.RawMessage) int { return slices.Compare(x, y) })
	if err != nil {
		a.Error = &failure
	}
	return a
}

// cluster is about the sockets of all nodes.
func cluster(n *socketio.Namespace) {
	socketio.OnAck(n, "members", func(ctx context.Context, s socket, room belfry.Room) ([]belfry.SocketID, error) {
		found, err := s.Namespace().In(room).FetchSockets(ctx)
		ids := []belfry.SocketID{}
		for _, r := range found {
			ids = append(ids, r.ID)
		}
		slices.Sort(ids)
		return ids, err
	})
	socketio.OnAck(n, "members-data", membersData)
	socketio.OnAck(n, "poll", poll)
	socketio.OnAck2(n, "move", func(ctx context.Context, s socket, from, to belfry.Room) (none, error) {
		all := s.Namespace().In(from)
		return none{}, errors.Join(all.SocketsJoin(ctx, to), all.SocketsLeave(ctx, from))
	})
	socketio.OnAck(n, "expel", func(ctx context.Context, s socket, room belfry.Room) (none, error) {
		return none{}, s.Namespace().In(room).DisconnectSockets(ctx, false)
	})
	socketio.OnAck(n, "ask-nodes", func(ctx context.Context, s socket, text string) (answers, error) {
		all, err := s.Namespace().ServerSideEmitAck(ctx, "note", text)
		return gather(all, err, "timeout"), nil
	})
}

func membersData(ctx context.Context, s socket, room belfry.Room) ([]json.RawMessage, error) {
	found, err := s.Namespace().In(room).FetchSockets(ctx)
	data := []json.RawMessage{}
	for _, r := range found {
		data = append(data, r.Data)
	}
	slices.SortFunc(data, func(x, y json.RawMessage) int { return slices.Compare(x, y) })
	return data, err
}

// poll asks all sockets of a room.
func poll(ctx context.Context, s socket, a args) (answers, error) {
	var room belfry.Room
	var ms int
	var payload any
	if err := a.Decode(&room, &ms, &payload); err != nil {
		return answers{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(ms)*time.Millisecond)
	defer cancel()
	all, err := s.Namespace().In(room).EmitAck(ctx, "question", payload)
	return gather(all, err, "timeout"), nil
}
