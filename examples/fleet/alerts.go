package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/archive"
	"github.com/seed-09a96375/belfry/socketio"
)

// alertGroup is the consumer group of all nodes.
const alertGroup = "fleet-alerts"

// Run tells the alerts that wait in the queue, together with the other nodes, until
// ctx ends.
func (f *Fleet) Run(ctx context.Context) error {
	return f.opts.Queue.Consume(ctx, alertGroup, f.tell, belfry.ConsumeOptions{
		MaxTries: -1, // an alert waits for the store as long as it takes
		Backoff:  200 * time.Millisecond, MaxBackoff: 10 * time.Second, Logger: f.opts.Logger,
	})
}

// tell asks for the risk, keeps the alert, and tells who is to know. Kept first: who
// comes meanwhile either has joined before it is told, or reads it from the store.
//
// While the store is away the alert is told at once, and once more when it is kept,
// for those who came between. Clients know alerts by their ids.
func (f *Fleet) tell(ctx context.Context, d *belfry.Delivery) (*belfry.Answer, error) {
	var a Alert
	var r Reading
	args := []any{&a, &r}
	if err := json.Unmarshal(d.Args, &args); err != nil || len(args) != 2 {
		return nil, &belfry.PoisonError{Reason: fmt.Errorf("the entry is no alert: %w", err)}
	}
	if a.Type == Critical {
		a.Risk = f.risk(ctx, r)
	}
	if err := f.keep(ctx, a); err != nil {
		return nil, errors.Join(err, f.notify(ctx, a, a.ID+":early"))
	}
	return nil, f.notify(ctx, a, a.ID)
}

// risk is nil if there is nobody to ask, or no answer.
func (f *Fleet) risk(ctx context.Context, r Reading) json.RawMessage {
	if f.opts.Risk == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, f.opts.RiskTimeout)
	defer cancel()
	risk, err := f.opts.Risk(ctx, r)
	if err != nil {
		f.opts.Logger.Warn("the risk is not known", "truck", r.Truck, "err", err)
		return nil
	}
	return risk
}

// storeTimeout bounds the wait for the store, which may be far slower than all else.
const storeTimeout = 5 * time.Second

// keep stores the alert for those who see one fleet and for those who see all.
func (f *Fleet) keep(ctx context.Context, a Alert) error {
	args, err := json.Marshal([]Alert{a})
	if err != nil {
		return fmt.Errorf("encode an alert: %w", err)
	}
	e := archive.Entry{
		ID: a.ID, Namespace: f.ns.Name(), Room: allAlerts, Event: "notification", Args: args,
		Text: a.Message, Key: a.Truck, Time: a.Time,
	}
	own := e
	own.Room = alertRoom(fleetOf(a.Truck))
	own.ID += "#" + string(own.Room)
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if err := f.opts.Store.Append(ctx, []archive.Entry{e, own}); err != nil {
		return fmt.Errorf("keep an alert: %w", err)
	}
	return nil
}

// notify publishes once for each id. The message is in the log of the bus, for those
// who lose their connection.
func (f *Fleet) notify(ctx context.Context, a Alert, id string) error {
	data, err := eventData("notification", a)
	if err != nil {
		return err
	}
	err = f.publish(ctx, &belfry.Message{
		ID: id, Data: data, Target: belfry.Target{Rooms: []belfry.Room{allAlerts, alertRoom(fleetOf(a.Truck))}},
	})
	if errors.Is(err, belfry.ErrDuplicate) {
		return nil
	}
	return err
}

// pageQuery asks for alerts that are older than a position; empty: for the newest.
type pageQuery struct {
	Before string `json:"before"`
	Limit  int    `json:"limit"`
}

// alertPage answers it, the newest first. Next, if not empty, asks for more.
type alertPage struct {
	Alerts []Alert `json:"alerts"`
	Next   string  `json:"next"`
}

const maxPage = 100 // alerts

// alerts answers a dashboard that comes, comes back, or wants older ones.
func (f *Fleet) alerts(ctx context.Context, s *socketio.Socket, q pageQuery) (alertPage, error) {
	who, err := visitorOf(s)
	if err != nil {
		return alertPage{}, err
	}
	before, err := archive.ParsePosition(q.Before)
	if err != nil {
		return alertPage{}, refusal("before is no position that a page has named")
	}
	limit := q.Limit
	if limit < 1 || limit > maxPage {
		limit = maxPage
	}
	return f.pageOf(ctx, who, before, limit)
}

// pageOf merges what was told of the fleets that the visitor sees.
func (f *Fleet) pageOf(ctx context.Context, who visitor, before archive.Position, limit int) (alertPage, error) {
	var found []archive.Entry
	for _, room := range who.alertRooms() {
		// One more tells whether there are more.
		entries, err := f.opts.Store.Page(ctx, archive.Query{Namespace: f.ns.Name(), Room: room, Before: before, Limit: limit + 1})
		if err != nil {
			f.opts.Logger.Warn("alerts could not be read", "err", err)
			return alertPage{}, errAway
		}
		found = append(found, entries...)
	}
	newestFirst(found)
	page := alertPage{Alerts: []Alert{}}
	for i, e := range found {
		if i == limit {
			page.Next = found[i-1].Position().String()
			break
		}
		var args []Alert
		if json.Unmarshal(e.Args, &args) == nil && len(args) == 1 {
			page.Alerts = append(page.Alerts, args[0])
		}
	}
	return page, nil
}
