package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/archive"
)

// news is what is kept, and told as a notification: an alert, or what has become of
// an order.
type news struct {
	id      string // of the message and of the rows
	time    time.Time
	key     string // what orders it
	text    string // what people read
	payload any    // of notification
	also    []message
	all     belfry.Room // of those who see everything
	own     belfry.Room // of those who see a part. Empty: there is none
}

// message is one that goes with a notification.
type message struct {
	event   string
	payload any
}

func (n *news) rooms() []belfry.Room {
	if n.own == "" {
		return []belfry.Room{n.all}
	}
	return []belfry.Room{n.all, n.own}
}

// What waits in the queue: the names of its events.
const (
	queuedAlert = "alert" // arguments: Alert, Reading
	queuedOrder = "order" // Order
)

// append puts it into the queue, once.
func (f *Fleet) append(ctx context.Context, name, id, key string, at time.Time, args ...any) error {
	text, err := json.Marshal(args)
	if err != nil {
		return fmt.Errorf("encode what is to be told: %w", err)
	}
	err = f.opts.Queue.Append(ctx, &belfry.Event{
		ID: id, Namespace: f.ns.Name(), Name: name, Args: text, Key: key, Node: f.server.NodeID(), Time: at,
	})
	if errors.Is(err, belfry.ErrDuplicate) {
		return nil
	}
	return err
}

// tellGroup is the consumer group of all nodes that tells.
const tellGroup = "fleet-alerts"

// tell keeps what waits, and tells who is to know. Kept first: who comes meanwhile
// either has joined before it is told, or reads it from the store.
//
// While the store is away it is told at once, and once more when it is kept, for those
// who came between. Clients know news by their ids.
func (f *Fleet) tell(ctx context.Context, d *belfry.Delivery) (*belfry.Answer, error) {
	n, err := f.newsOf(ctx, d)
	if err != nil {
		return nil, &belfry.PoisonError{Reason: err}
	}
	if err := f.keep(ctx, n); err != nil {
		return nil, errors.Join(err, f.notify(ctx, n, ":early"))
	}
	return nil, f.notify(ctx, n, "")
}

// newsOf reads an entry of the queue. It asks for the risk of an alert.
func (f *Fleet) newsOf(ctx context.Context, d *belfry.Delivery) (news, error) {
	if d.Name == queuedOrder {
		var o Order
		if !decodeArgs(d.Args, &o) || o.Validate() != nil {
			return news{}, errNoOrder
		}
		return newsOfOrder(o), nil
	}
	var a Alert
	var r Reading
	if !decodeArgs(d.Args, &a, &r) {
		return news{}, errNoAlert
	}
	if a.Type == Critical {
		a.Risk = f.risk(ctx, r)
	}
	return newsOfAlert(a), nil
}

// decodeArgs reads as many arguments as there are targets.
func decodeArgs(args json.RawMessage, into ...any) bool {
	n := len(into)
	return json.Unmarshal(args, &into) == nil && len(into) == n
}

// storeTimeout bounds the wait for the store, which may be far slower than all else.
const storeTimeout = 5 * time.Second

// keep stores n for those who see everything and for those who see a part of it. What
// the store can never keep is a *belfry.PoisonError.
func (f *Fleet) keep(ctx context.Context, n news) error {
	args, err := json.Marshal([]any{n.payload})
	if err != nil {
		return fmt.Errorf("encode what is to be kept: %w", err)
	}
	var entries []archive.Entry
	for i, room := range n.rooms() {
		e := archive.Entry{
			ID: n.id, Namespace: f.ns.Name(), Room: room, Event: "notification", Args: args, Text: n.text, Key: n.key, Time: n.time,
		}
		if i > 0 {
			e.ID += "#" + string(room)
		}
		if err := e.Validate(); err != nil {
			return &belfry.PoisonError{Reason: err}
		}
		entries = append(entries, e)
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	err = f.opts.Store.Append(ctx, entries)
	var refused *archive.RefusedError
	switch {
	case errors.As(err, &refused):
		return &belfry.PoisonError{Reason: err}
	case err != nil:
		return fmt.Errorf("keep what was told: %w", err)
	}
	return nil
}

// notify publishes once for each id. Messages are in the log of the bus, for those who
// lose their connection.
func (f *Fleet) notify(ctx context.Context, n news, suffix string) error {
	var err error
	for _, m := range n.also {
		err = errors.Join(err, f.notifyOf(ctx, n, m.event, m.payload, n.id+":"+m.event+suffix))
	}
	return errors.Join(err, f.notifyOf(ctx, n, "notification", n.payload, n.id+suffix))
}

func (f *Fleet) notifyOf(ctx context.Context, n news, event string, payload any, id string) error {
	data, err := eventData(event, payload)
	if err != nil {
		return err
	}
	err = f.publish(ctx, &belfry.Message{ID: id, Data: data, Target: belfry.Target{Rooms: n.rooms()}})
	if errors.Is(err, belfry.ErrDuplicate) {
		return nil
	}
	return err
}

// pageQuery asks for news that are older than a position; empty: for the newest.
type pageQuery struct {
	Before string `json:"before"`
	Limit  int    `json:"limit"`
}

const maxPage = 100 // news

// pageOf merges what was told in some rooms, the newest first. next, if not empty,
// asks for more.
func pageOf[T any](ctx context.Context, f *Fleet, rooms []belfry.Room, q pageQuery) (page []T, next string, err error) {
	before, err := archive.ParsePosition(q.Before)
	if err != nil {
		return nil, "", refusal("before is no position that a page has named")
	}
	limit := q.Limit
	if limit < 1 || limit > maxPage {
		limit = maxPage
	}
	found, err := f.past(ctx, rooms, before, limit+1) // one more tells whether there are more
	if err != nil {
		return nil, "", err
	}
	page = []T{}
	for i, e := range found {
		if i == limit {
			return page, found[i-1].Position().String(), nil
		}
		var args []T
		if json.Unmarshal(e.Args, &args) == nil && len(args) == 1 {
			page = append(page, args[0])
		}
	}
	return page, "", nil
}

// past returns what was told in some rooms, the newest first, the newest of each room
// at least.
func (f *Fleet) past(ctx context.Context, rooms []belfry.Room, before archive.Position, limit int) ([]archive.Entry, error) {
	var found []archive.Entry
	for _, room := range rooms {
		entries, err := f.opts.Store.Page(ctx, archive.Query{Namespace: f.ns.Name(), Room: room, Before: before, Limit: limit})
		if err != nil {
			f.opts.Logger.Warn("the past could not be read", "room", room, "err", err)
			return nil, errAway
		}
		found = append(found, entries...)
	}
	slices.SortFunc(found, func(a, b archive.Entry) int { return b.Position().Compare(a.Position()) })
	return found, nil
}
