package plain

import (
	"context"

	"github.com/seed-09a96375/belfry"
)

// HistoryQuery asks for the past of a room. Positions are those that pages have named.
type HistoryQuery struct {
	Room   belfry.Room `json:"room"`
	Before string      `json:"before"`
	After  string      `json:"after"`
	Oldest bool        `json:"oldest"` // first
	Limit  int         `json:"limit"`
}

func (c *Conn) history(ctx context.Context, q *HistoryQuery) (any, error) {
	if err := checkRoom(q.Room); err != nil {
		return nil, err
	}
	if c.server.o.History == nil {
		return nil, &Error{Code: codeNoHistory, Message: "there is no archive here", Room: q.Room}
	}
	return c.server.o.History(ctx, c, q)
}
