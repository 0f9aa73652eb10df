package chat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/archive"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/socketio"
)

// past is what was said before. A page of the archive ends some seconds ago; what was
// said since then is in the log of the bus, and what is said from now on comes live,
// since the client has joined before it asks. Parts may overlap: ids tell.
//
//	archive ─────────────●
//	log               ●──────────▶    since the newest message of the page
//	live                       ●────▶  since the client has joined
type past struct {
	archive *archive.Reader // nil: nothing is kept
	log     belfry.Log      // nil: the bus has none
	start   belfry.Offset   // where the log was when the node started
}

const startTimeout = 2 * time.Second

func newPast(h *hub.Hub, reader *archive.Reader) past {
	p := past{archive: reader}
	log, err := h.Recovery()
	if err != nil {
		return p
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	p.log = log
	p.start, _ = log.Position(ctx) // without it the first seconds of the node have less of a past
	return p
}

// historyQuery asks for messages that are older than a position; without one, for the
// newest.
type historyQuery struct {
	Before string `json:"before"`
	Limit  int    `json:"limit"` // default 50, at most 100
}

// historyPage answers it, the oldest first. Next, if not empty, asks for more. There may
// be more messages than the limit: those that are too new for the archive come on top.
type historyPage struct {
	Messages []Message `json:"messages"`
	Next     string    `json:"next,omitempty"`
}

const maxPage = 100 // messages

// history answers those who are in a room.
func (c *Chat) history(ctx context.Context, s *socketio.Socket, in historyQuery) (historyPage, error) {
	_, room, err := whois(s)
	if err != nil {
		return historyPage{}, err
	}
	q := archive.Query{Room: roomOf(room), Limit: min(in.Limit, maxPage)}
	if q.Before, err = archive.ParsePosition(in.Before); err != nil {
		return historyPage{}, err
	}
	page, err := c.past.page(ctx, q)
	switch {
	case errors.Is(err, archive.ErrQuery):
		return historyPage{}, err
	case err != nil:
		c.opts.Logger.Warn("chat: the archive cannot be read", "err", err)
		return historyPage{}, errors.New("what was said before cannot be read now")
	}
	return page, nil
}

func (p past) page(ctx context.Context, q archive.Query) (historyPage, error) {
	kept := &archive.Page{}
	if p.archive != nil {
		var err error
		if kept, err = p.archive.Page(ctx, q); err != nil {
			return historyPage{}, err
		}
	}
	page := historyPage{Messages: make([]Message, 0, len(kept.Entries)), Next: kept.Next.String()}
	for _, e := range slices.Backward(kept.Entries) {
		m, err := messageOf(e.Args)
		if err != nil {
			continue // of another program
		}
		m.Stored = true
		page.Messages = append(page.Messages, m)
	}
	if !q.Before.IsZero() {
		return page, nil
	}
	recent, err := p.since(ctx, q.Room, p.joints(kept))
	page.Messages = merge(page.Messages, recent)
	return page, err
}

// joints are positions of the log to go on from, the best first: the newest message of
// the page, since the archive may be further behind than it should, or the end of the
// page. In its first seconds the archive's reader knows no end: then the oldest message
// of the page that the log still has.
func (p past) joints(kept *archive.Page) []belfry.Offset {
	n, end := len(kept.Entries), kept.Offset
	switch {
	case p.log == nil:
		return nil
	case n == 0:
		return []belfry.Offset{p.start, end}
	case end == "":
		return []belfry.Offset{kept.Entries[n-1].Offset, kept.Entries[n/2].Offset, kept.Entries[0].Offset, p.start}
	}
	if newest := kept.Entries[0].Offset; newest != "" && p.log.Before(newest, end) {
		return []belfry.Offset{newest, end}
	}
	return []belfry.Offset{end}
}

// since returns what the log has of a room after the first joint that it knows.
func (p past) since(ctx context.Context, room belfry.Room, joints []belfry.Offset) (recent []Message, err error) {
	for _, joint := range joints {
		if joint == "" {
			continue
		}
		recent = nil
		err = p.log.Replay(ctx, "/", joint, func(m *belfry.Message) error {
			if m.Kind == belfry.Emit && slices.Contains(m.Target.Rooms, room) {
				if said, err := messageOf(m.Data); err == nil {
					recent = append(recent, said)
				}
			}
			return nil
		})
		if !errors.Is(err, belfry.ErrNoOffset) {
			return recent, err
		}
	}
	return nil, nil
}

// messageOf reads a message that is the last of a JSON array.
func messageOf(args []byte) (m Message, err error) {
	var all []json.RawMessage
	if err = json.Unmarshal(args, &all); err == nil && len(all) > 0 {
		err = json.Unmarshal(all[len(all)-1], &m)
	}
	if err == nil && (m.ID == "" || m.Room == "") {
		err = errors.New("it has no id, or no room")
	}
	if err != nil {
		return m, fmt.Errorf("read a message: %w", err)
	}
	return m, nil
}

// merge appends those of more that are not in all.
func merge(all, more []Message) []Message {
	known := make(map[string]bool, len(all))
	for _, m := range all {
		known[m.ID] = true
	}
	for _, m := range more {
		if !known[m.ID] {
			known[m.ID] = true
			all = append(all, m)
		}
	}
	return all
}
