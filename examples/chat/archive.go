package chat

import (
	"context"
	"strconv"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/archive"
)

// Topic is where messages wait for the archive: a topic of Kafka, or a stream.
const Topic = "MESSAGES"

// group is the consumer group of all archives.
const group = "archive"

// Archive returns what writes messages from source into store. Once they are rows it
// tells so to their rooms, by c, whose node has to run as long.
func (c *Chat) Archive(source belfry.Source, store archive.Store) (*archive.Archiver, error) {
	return archive.New(archive.Options{
		Source: source, Store: &teller{Store: store, chat: c}, Decode: decode, Logger: c.opts.Logger,
	})
}

// decode also says what people read of a message, for the column text.
func decode(r *belfry.Record) ([]archive.Entry, error) {
	entries, err := archive.Decode(r)
	for i := range entries {
		if m, err := messageOf(entries[i].Args); err == nil {
			entries[i].Text = m.Text
		}
	}
	return entries, err
}

// teller is a store that tells rooms what it has stored.
type teller struct {
	archive.Store
	chat *Chat
}

// stored is the payload of the event.
type stored struct {
	IDs []string `json:"ids"`
}

// Append implements archive.Store.
func (t *teller) Append(ctx context.Context, entries []archive.Entry) error {
	if err := t.Store.Append(ctx, entries); err != nil {
		return err
	}
	rooms := make(map[belfry.Room][]string)
	for _, e := range entries {
		rooms[e.Room] = append(rooms[e.Room], e.ID)
	}
	for room, ids := range rooms {
		// It is a mark on a page, and in the past as well: not worth another try.
		if err := t.chat.server.To(room).Emit(ctx, "stored", stored{ids}); err != nil {
			t.chat.opts.Logger.Warn("chat: a room is not told what was stored", "room", room, "err", err)
		}
	}
	return nil
}

// Tend implements archive.Tender.
func (t *teller) Tend(ctx context.Context) error {
	if tender, ok := t.Store.(archive.Tender); ok {
		return tender.Tend(ctx)
	}
	return nil
}

// Source makes a source of archives out of a queue.
func Source(q belfry.Consumer) belfry.Source { return queued{q} }

type queued struct{ queue belfry.Consumer }

// together is how many messages may be written at once.
const together = 1000

// Run implements belfry.Source.
func (s queued) Run(ctx context.Context, handle func(context.Context, *belfry.Record) error) error {
	return s.queue.Consume(ctx, group, func(ctx context.Context, d *belfry.Delivery) (*belfry.Answer, error) {
		return nil, handle(ctx, &belfry.Record{ID: d.ID, Key: d.Key, Time: d.Time, Meta: map[string]string{
			"id": d.ID, "namespace": d.Namespace, "room": string(d.Room), "event": d.Name, "args": string(d.Args),
			"user": d.User, "socket": string(d.Socket), "offset": string(d.Offset),
			"time": strconv.FormatInt(d.Time.UnixMilli(), 10),
		}})
	}, belfry.ConsumeOptions{Concurrency: together, Unordered: true, MaxTries: -1})
}
