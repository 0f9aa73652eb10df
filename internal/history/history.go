// Package history gives clients and backends the past of a room, in the same form on
// all fronts.
//
//	query   {"before","after","oldest","limit"}    positions are those of pages
//	page    {"entries","next","offset"}            next: there is more
//
// Whoever joins the room with the offset of a page misses nothing and gets nothing
// twice; see archive.Reader.
package history

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/archive"
)

// Query selects entries of a room. The zero value is the newest.
type Query struct {
	Before string `json:"before"`
	After  string `json:"after"`
	Oldest bool   `json:"oldest"` // first
	Limit  int    `json:"limit"`  // default 50, at most 1,000
}

// Page is a part of the past.
type Page struct {
	Entries []Entry       `json:"entries"`
	Next    string        `json:"next,omitempty"`   // for Before, with Oldest for After; empty: there is no more
	Offset  belfry.Offset `json:"offset,omitempty"` // to join the room with
}

// Entry is a message of the past.
type Entry struct {
	ID     string          `json:"id"`
	Event  string          `json:"event"`
	Args   json.RawMessage `json:"args"`
	Text   string          `json:"text,omitempty"`
	User   string          `json:"user,omitempty"`
	Socket belfry.SocketID `json:"socket,omitempty"`
	Time   time.Time       `json:"time"`
	Offset belfry.Offset   `json:"offset,omitempty"`
}

// Error is what goes wrong, with a code for programs.
type Error struct{ Code, Message string }

// Error is the message.
func (e *Error) Error() string { return e.Message }

// ErrorCode is the code.
func (e *Error) ErrorCode() string { return e.Code }

// Codes of errors.
const (
	Invalid     = "invalid"     // there is no such page
	Unavailable = "unavailable" // the archive cannot be read now
)

// Reader reads pages of one namespace. Safe for concurrent use.
type Reader struct {
	Archive   *archive.Reader
	Namespace string
	// Failed is told why the archive cannot be read. nil: nobody is told.
	Failed func(error)
}

// Page returns a page of a room. The error is an *Error. It blocks no longer than ctx.
func (r *Reader) Page(ctx context.Context, room belfry.Room, q Query) (*Page, error) {
	asked := archive.Query{Namespace: r.Namespace, Room: room, Oldest: q.Oldest, Limit: q.Limit}
	var err, err2 error
	asked.Before, err = archive.ParsePosition(q.Before)
	asked.After, err2 = archive.ParsePosition(q.After)
	if err = errors.Join(err, err2); err != nil {
		return nil, &Error{Invalid, archive.ErrPosition.Error()}
	}
	found, err := r.Archive.Page(ctx, asked)
	switch {
	case errors.Is(err, archive.ErrQuery):
		return nil, &Error{Invalid, err.Error()}
	case err != nil:
		if r.Failed != nil {
			r.Failed(err)
		}
		return nil, &Error{Unavailable, "the archive cannot be read now: try again"}
	}
	p := &Page{Entries: make([]Entry, 0, len(found.Entries)), Offset: found.Offset}
	if !found.Next.IsZero() {
		p.Next = found.Next.String()
	}
	for _, e := range found.Entries {
		p.Entries = append(p.Entries, Entry{e.ID, e.Event, e.Args, e.Text, e.User, e.Socket, e.Time, e.Offset})
	}
	return p, nil
}
