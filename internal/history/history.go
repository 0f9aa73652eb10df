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
	"fmt"
	"slices"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/archive"
	"github.com/seed-09a96375/belfry/socketio/packet"
)

// Query selects entries of a room. The zero value is the newest.
type Query struct {
	Before string `json:"before"`
	After  string `json:"after"`
	Oldest bool   `json:"oldest"` // first
	Limit  int    `json:"limit"`  // default 50, at most 1,000
	// Recent adds what came after the page, for those who cannot join with its offset.
	Recent bool `json:"recent"`
}

// Page is a part of the past.
type Page struct {
	Entries []Entry       `json:"entries"`
	Next    string        `json:"next,omitempty"`   // for Before, with Oldest for After; empty: there is no more
	Offset  belfry.Offset `json:"offset,omitempty"` // to join the room with
	// Behind is how late the archive is, seconds, if that is later than its delay: the
	// page ends so much earlier, and the log has the rest.
	Behind int `json:"behind,omitempty"`
	// Recent is what the room got after Offset, by the log of the bus, the oldest first.
	// It has no id, user and time.
	Recent []Recent `json:"recent,omitempty"`
}

// Recent is a message of the log.
type Recent struct {
	Event  string          `json:"event"`
	Args   json.RawMessage `json:"args"`
	Offset belfry.Offset   `json:"offset"`
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
	Log       belfry.Log // of the bus; nil: nothing is recent
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
		r.failed(err)
		return nil, &Error{Unavailable, "the archive cannot be read now: try again"}
	}
	p := &Page{Entries: make([]Entry, 0, len(found.Entries)), Offset: found.Offset, Behind: int(found.Behind.Seconds())}
	if !found.Next.IsZero() {
		p.Next = found.Next.String()
	}
	for _, e := range found.Entries {
		p.Entries = append(p.Entries, Entry{e.ID, e.Event, e.Args, e.Text, e.User, e.Socket, e.Time, e.Offset})
	}
	if q.Recent {
		return p, r.recent(ctx, room, p)
	}
	return p, nil
}

// recent reads the log after the page.
func (r *Reader) recent(ctx context.Context, room belfry.Room, p *Page) error {
	if p.Offset == "" && p.Behind > 0 {
		return &Error{Unavailable, fmt.Sprintf("the archive is %d seconds behind: try again when it has caught up", p.Behind)}
	}
	if r.Log == nil || p.Offset == "" {
		return &Error{Unavailable, "the node does not know yet where a page ends: try again in some seconds"}
	}
	err := r.Log.Replay(ctx, r.Namespace, p.Offset, func(m *belfry.Message) error {
		if m.Kind != belfry.Emit || !slices.Contains(m.Target.Rooms, room) {
			return nil
		}
		var all []json.RawMessage
		var event string
		err := json.Unmarshal(packet.Inline(m.Data, m.Attachments), &all)
		if err == nil && len(all) > 0 {
			err = json.Unmarshal(all[0], &event)
		}
		if err != nil || len(all) == 0 {
			return err
		}
		args, err := json.Marshal(all[1:])
		p.Recent = append(p.Recent, Recent{event, args, m.Offset})
		return err
	})
	if err != nil {
		r.failed(err)
		return &Error{Unavailable, "the log cannot be read now: try again"}
	}
	return nil
}

func (r *Reader) failed(err error) {
	if r.Failed != nil {
		r.Failed(err)
	}
}
