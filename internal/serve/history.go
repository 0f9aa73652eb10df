package serve

import (
	"context"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/auth"
	"github.com/seed-09a96375/belfry/internal/access"
	"github.com/seed-09a96375/belfry/internal/history"
	"github.com/seed-09a96375/belfry/plain"
	"github.com/seed-09a96375/belfry/socketio"
)

// historyTime bounds the reading of a page.
const historyTime = 5 * time.Second

// past gives a client a page of a room, if it has the grant history for it.
func (n *node) past(ctx context.Context, c access.Client, room belfry.Room, q history.Query) (*history.Page, error) {
	if err := n.guard.May(c, auth.History, room); err != nil {
		return nil, err
	}
	return n.page(ctx, room, q)
}

func (n *node) page(ctx context.Context, room belfry.Room, q history.Query) (*history.Page, error) {
	ctx, cancel := context.WithTimeout(ctx, historyTime)
	defer cancel()
	return n.archive.reader.Page(ctx, room, q)
}

// serveHistory adds the event history (room, query, ack) to Socket.IO. The ack is a
// page.
func (n *node) serveHistory(io *socketio.Server) {
	if n.archive == nil {
		return
	}
	socketio.OnAck(io, "history", func(ctx context.Context, s *socketio.Socket, args socketio.Args) (*history.Page, error) {
		var room belfry.Room
		var q history.Query
		err := args.Decode(&room)
		if err == nil && args.Raw(1) != nil {
			err = args.Decode(&room, &q)
		}
		if err != nil {
			return nil, &history.Error{Code: history.Invalid, Message: err.Error()}
		}
		return n.past(ctx, access.OfSocketIO(s), room, q)
	})
}

// plainHistory is the request history of the plain front, nil without an archive.
func (n *node) plainHistory() func(context.Context, *plain.Conn, *plain.HistoryQuery) (any, error) {
	if n.archive == nil {
		return nil
	}
	return func(ctx context.Context, c *plain.Conn, q *plain.HistoryQuery) (any, error) {
		return n.past(ctx, access.OfPlain(c), q.Room, history.Query{Before: q.Before, After: q.After, Oldest: q.Oldest, Limit: q.Limit})
	}
}
