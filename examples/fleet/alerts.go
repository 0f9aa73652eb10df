package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/socketio"
)

// Run tells what waits in the queue, and has it mailed, together with the other nodes,
// until ctx ends.
func (f *Fleet) Run(ctx context.Context) error {
	var all sync.WaitGroup
	var told, mailed error
	all.Go(func() {
		told = f.opts.Queue.Consume(ctx, tellGroup, f.tell, belfry.ConsumeOptions{
			MaxTries: -1, // an alert waits for the store as long as it takes
			Backoff:  200 * time.Millisecond, MaxBackoff: 10 * time.Second, Logger: f.opts.Logger,
		})
	})
	all.Go(func() { mailed = f.opts.Queue.Consume(ctx, mailGroup, f.mail, f.mailOptions()) })
	all.Wait()
	return errors.Join(told, mailed)
}

var errNoAlert = errors.New("the entry is no alert")

func newsOfAlert(a Alert) news {
	return news{
		id: a.ID, time: a.Time, key: a.Truck, text: a.Message, payload: a, all: allAlerts, own: alertRoom(fleetOf(a.Truck)),
	}
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

// alertPage is the answer to alerts, the newest first. Next, if not empty, asks for
// more.
type alertPage struct {
	Alerts []Alert `json:"alerts"`
	Next   string  `json:"next"`
}

// alerts answers a dashboard that comes, comes back, or wants older ones.
func (f *Fleet) alerts(ctx context.Context, s *socketio.Socket, q pageQuery) (alertPage, error) {
	who, err := visitorOf(s)
	if err != nil {
		return alertPage{}, err
	}
	page, next, err := pageOf[Alert](ctx, f, who.alertRooms(), q)
	return alertPage{page, next}, err
}
