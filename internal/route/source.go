package route

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/seed-09a96375/belfry"
)

// Handle returns what Source.Run of the source of that name calls for each record:
// it publishes what the record becomes. A record that lacks what the templates need
// is a *belfry.PoisonError.
func (r *Router) Handle(source string) (func(context.Context, *belfry.Record) error, error) {
	handle, err := r.HandleBatch(source)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, rec *belfry.Record) error {
		_, poison, err := belfry.BatchVerdict(handle(ctx, []*belfry.Record{rec}), 1)
		if reason := poison[0]; reason != nil {
			return &belfry.PoisonError{Reason: reason}
		}
		return err
	}, nil
}

// HandleBatch returns what BatchSource.RunBatches calls, with what Handle says. A bus
// that goes away within a batch is a *belfry.PartialBatchError.
func (r *Router) HandleBatch(source string) (func(context.Context, []*belfry.Record) error, error) {
	in := r.inlets[source]
	if in == nil {
		return nil, errors.New("route: no source is called " + source)
	}
	return func(ctx context.Context, records []*belfry.Record) error {
		b := r.batch(in, records)
		accepted, err := r.publishAll(ctx, b.messages)
		for i, copies := range b.copies[:accepted] {
			if failed := r.bring(ctx, b.messages[i], copies); failed != nil {
				return b.outcome(i, failed)
			}
		}
		return b.outcome(accepted, err)
	}, nil
}

func (r *Router) publishAll(ctx context.Context, messages []*belfry.Message) (accepted int, err error) {
	if len(messages) == 0 {
		return 0, nil
	}
	if r.links.PublishAll != nil {
		return r.links.PublishAll(ctx, messages)
	}
	for i, m := range messages {
		if err := r.links.Publish(ctx, m); err != nil && !errors.Is(err, belfry.ErrDuplicate) {
			return i, err
		}
	}
	return len(messages), nil
}

// batch is what the records of one become.
type batch struct {
	messages []*belfry.Message
	copies   [][]copyOf    // that rules make of them
	places   []int         // of their records
	poison   map[int]error // of the other records; nil: there are none
}

func (r *Router) batch(in *inlet, records []*belfry.Record) *batch {
	n := len(records)
	b := &batch{messages: make([]*belfry.Message, 0, n), copies: make([][]copyOf, 0, n), places: make([]int, 0, n)}
	for i, rec := range records {
		m, copies, err := r.guarded(in, rec)
		if err != nil {
			if b.poison == nil {
				b.poison = make(map[int]error)
			}
			b.poison[i] = err
			continue
		}
		b.messages, b.copies, b.places = append(b.messages, m), append(b.copies, copies), append(b.places, i)
	}
	return b
}

// guarded makes poison of a record that a template panics on: sources would hand it out
// for ever, and those after it never.
func (r *Router) guarded(in *inlet, rec *belfry.Record) (m *belfry.Message, copies []copyOf, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	if m, err = in.message(rec); err == nil {
		// A topic has its own records: else they would go round.
		copies, err = r.copies(m, origin{own: true, at: rec.Time, topic: in.source.Topic})
	}
	return m, copies, err
}

// outcome is what sources are told when the first messages are accepted.
func (b *batch) outcome(accepted int, err error) error {
	switch {
	case err == nil && b.poison == nil:
		return nil
	case err == nil:
		return &belfry.PoisonBatchError{Reasons: b.poison}
	case b.places[accepted] == 0:
		return err
	}
	return &belfry.PartialBatchError{Done: b.places[accepted], Reasons: b.poison, Err: err}
}

// message is what a record becomes.
func (in *inlet) message(rec *belfry.Record) (*belfry.Message, error) {
	s := &record{rec, in.source.Name, validJSON(rec.Value)}
	m := &belfry.Message{Kind: belfry.Emit, Namespace: in.source.Namespace}
	var err error
	if m.Target.Rooms, err = in.emit.targets(s, func(belfry.Room) error { return nil }); err != nil {
		return nil, err
	}
	name, err := in.emit.name(s, in.source.As)
	if err != nil {
		return nil, err
	}
	args, err := in.emit.arguments(s, nil)
	if err != nil {
		return nil, err
	}
	m.Data = data(name, args)
	id := rec.ID
	if in.id != nil {
		if id, err = in.id.string(s); err != nil {
			return nil, err
		}
		if id == "" {
			id = rec.ID // without one it would be published again after a crash
		}
	}
	if id != "" {
		m.ID = publishID(in.source.Name+":"+id, 0)
	}
	return m, nil
}

// record is the scope of a source.
type record struct {
	*belfry.Record
	source string
	valid  bool // the value is JSON
}

// lookup implements scope.
func (r *record) lookup(root string, path []step) (datum, bool) {
	text := ""
	switch root {
	case "payload":
		if !r.valid {
			return datum{}, false
		}
		found := find(json.RawMessage(r.Value), path)
		return datum{json: found}, found != nil
	case "value":
		return datum{text: string(r.Value)}, true
	case "meta":
		if len(path) != 1 {
			return datum{}, false
		}
		text, ok := r.Meta[path[0].key]
		return datum{text: text}, ok
	case "key":
		text = r.Key
	case "id":
		text = r.ID
	case "source":
		text = r.source
	}
	return datum{text: text}, text != ""
}
