package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/seed-09a96375/belfry"
)

// Records takes records of the topic in: it is the handler of a belfry.BatchSource,
// whose records of one truck come in order. What can never be used is named in a
// *belfry.PoisonBatchError.
func (f *Fleet) Records(ctx context.Context, records []*belfry.Record) error {
	readings := make([]Reading, 0, len(records))
	reasons := make(map[int]error)
	for i, r := range records {
		reading, err := DecodeReading(r.Value)
		if err != nil {
			reasons[i] = err
			continue
		}
		readings = append(readings, reading)
	}
	if err := f.Take(ctx, readings); err != nil {
		return err
	}
	if len(reasons) > 0 {
		return &belfry.PoisonBatchError{Reasons: reasons}
	}
	return nil
}

// Take takes readings in, each truck's in order: who watches a truck gets its last
// one, and what is wrong becomes an alert. After an error it can be repeated with the
// same readings: nothing is told twice.
func (f *Fleet) Take(ctx context.Context, readings []Reading) error {
	last := lastOfEach(readings)
	newer, err := f.opts.State.Put(ctx, last)
	if err != nil {
		return err
	}
	err = f.update(ctx, last, newer)
	for _, r := range readings {
		err = errors.Join(err, f.raise(ctx, r))
	}
	return err
}

// lastOfEach returns the last reading of each truck.
func lastOfEach(readings []Reading) []Reading {
	at := make(map[string]int, len(readings))
	last := make([]Reading, 0, len(readings))
	for _, r := range readings {
		if i, there := at[r.Truck]; !there {
			at[r.Truck] = len(last)
			last = append(last, r)
		} else if r.Time.After(last[i].Time) {
			last[i] = r
		}
	}
	return last
}

// publishers bounds the updates of one call that are on their way to the bus.
const publishers = 16

// update tells those who watch. Trucks are different ones, so the order of the calls
// does not matter.
func (f *Fleet) update(ctx context.Context, readings []Reading, newer []bool) error {
	work := make(chan Reading)
	var all sync.WaitGroup
	var errs errorList
	for range min(publishers, len(readings)) {
		all.Go(func() {
			for r := range work {
				errs.add(f.publishUpdate(ctx, r))
			}
		})
	}
	for i, r := range readings {
		if newer[i] {
			work <- r
		}
	}
	close(work)
	all.Wait()
	return errs.first
}

// errorList keeps the first of several errors.
type errorList struct {
	mu    sync.Mutex
	first error
}

func (l *errorList) add(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.first == nil {
		l.first = err
	}
}

// publishUpdate is for the moment: it is in no log, and a client that reads slowly
// gets the latest alone. See Slow.
func (f *Fleet) publishUpdate(ctx context.Context, r Reading) error {
	data, err := eventData("truck_update", r)
	if err != nil {
		return err
	}
	err = f.publish(ctx, &belfry.Message{
		Target: belfry.Target{Rooms: []belfry.Room{truckRoom(r.Truck)}}, Data: data, Unlogged: true,
	})
	if errors.Is(err, belfry.ErrUnavailable) || errors.Is(err, belfry.ErrInDoubt) {
		return nil // the next reading is a better one, and the snapshot has this
	}
	return err
}

// raise puts the alert that a reading is into the queue, if the last one of the truck
// and type was long enough ago.
func (f *Fleet) raise(ctx context.Context, r Reading) error {
	a, wrong := judge(r)
	if !wrong {
		return nil
	}
	mine, err := f.opts.State.Claim(ctx, a, f.opts.Debounce)
	if err != nil || !mine {
		return err
	}
	return f.append(ctx, queuedAlert, a.ID, a.Truck, r.Time, a, r)
}

// eventData is the Data of a message.
func eventData(event string, payload any) ([]byte, error) {
	data, err := json.Marshal([]any{event, payload})
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", event, err)
	}
	return data, nil
}
