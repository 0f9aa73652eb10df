package chain

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/seed-09a96375/belfry/chaos/account"
)

// Rows is what became of messages in the table. Messages are counted unless it says
// otherwise.
type Rows struct {
	All       int `json:"all"`       // rows
	IDs       int `json:"ids"`       // different ids in them
	Missing   int `json:"missing"`   // accepted, and no row
	Doubled   int `json:"doubled"`   // more than one row
	Unknown   int `json:"unknown"`   // rows: never sent, refused, or with an id of another
	Reordered int `json:"reordered"` // rows: in the order of the table after a later one of its stream
	// Elsewhere are rows in another room than the message was sent to, or at another
	// place in the log of the bus than that which clients were given with it.
	Elsewhere int `json:"elsewhere"`

	Examples []string `json:"examples,omitempty"`
}

// examples are enough to see where to look.
const examples = 3

func (r *Rows) note(count *int, format string, args ...any) {
	if *count++; *count <= examples {
		r.Examples = append(r.Examples, fmt.Sprintf(format, args...))
	}
}

// row is one of the table.
type row struct {
	id, room, offset string
	message          message
}

// name is the message's, by its stream and number.
type name struct{ stream, number int }

// readRows returns the table in the order in which readers see it.
func (r *run) readRows(ctx context.Context) ([]row, error) {
	conn, err := pgx.Connect(ctx, r.postgres.URL())
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(ctx) }()
	found, err := conn.Query(ctx, "SELECT id, room, coalesce(log_offset, ''), args::text FROM messages ORDER BY time, id")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(found, func(one pgx.CollectableRow) (w row, err error) {
		var args string
		if err := one.Scan(&w.id, &w.room, &w.offset, &args); err != nil {
			return w, err
		}
		all := []*message{&w.message}
		if err := json.Unmarshal([]byte(args), &all); err != nil {
			return w, fmt.Errorf("row %s: %w", w.id, err)
		}
		return w, nil
	})
}

// settleRows compares what was sent with the table. offsets are where clients were told
// that messages are in the log.
func settleRows(p account.Plan, s account.Sent, offsets map[name]string, table []row) (r Rows) {
	times, ids, last := make(map[name]int), make(map[string]bool), make(map[int]int)
	for _, w := range table {
		n := name{w.message.Stream, w.message.Number}
		r.All++
		ids[w.id] = true
		if !wasSent(s, n) || !w.isNamed(n) {
			r.note(&r.Unknown, "row %s: message %d of stream %d was never sent so", w.id, n.number, n.stream)
			continue
		}
		if times[n]++; times[n] == 2 {
			r.note(&r.Doubled, "row %s: message %d of stream %d is there already", w.id, n.number, n.stream)
		}
		if before, any := last[n.stream]; any && n.number < before && times[n] == 1 {
			r.note(&r.Reordered, "row %s: message %d of stream %d comes after %d", w.id, n.number, n.stream, before)
		}
		last[n.stream] = max(last[n.stream], n.number)
		if told := offsets[n]; w.room != roomName(p.Streams[n.stream]) || !w.isAt(told) {
			r.note(&r.Elsewhere, "row %s: in %s at %q; clients have %q", w.id, w.room, w.offset, told)
		}
	}
	r.IDs = len(ids)
	for stream, all := range s {
		for number, m := range all {
			if m.Outcome == account.Accepted && times[name{stream, number}] == 0 {
				r.note(&r.Missing, "message %d of stream %d has no row", number, stream)
			}
		}
	}
	return r
}

// isAt reports whether the row has the place in the log that clients were told, as far
// as both are known.
func (w *row) isAt(told string) bool {
	at := numberOf(w.offset)
	return at == "" || told == "" || at == told
}

// isNamed reports whether the ids of the row, and of what is in it, are the message's.
func (w *row) isNamed(n name) bool {
	return strings.HasSuffix(w.id, w.message.ID) && strings.HasSuffix(w.message.ID, fmt.Sprintf("%d-%d", n.stream, n.number))
}

func wasSent(s account.Sent, n name) bool {
	return n.stream >= 0 && n.stream < len(s) && n.number >= 0 && n.number < len(s[n.stream]) && s[n.stream][n.number].Outcome != account.Refused
}
