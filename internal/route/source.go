package route

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/seed-09a96375/belfry"
)

// Handle returns what Source.Run of the source of that name calls for each record:
// it publishes what the record becomes. A record that lacks what the templates need
// is a *belfry.PoisonError.
func (r *Router) Handle(source string) (func(context.Context, *belfry.Record) error, error) {
	in := r.inlets[source]
	if in == nil {
		return nil, errors.New("route: no source is called " + source)
	}
	return func(ctx context.Context, rec *belfry.Record) error {
		m, err := in.message(rec)
		if err != nil {
			return &belfry.PoisonError{Reason: err}
		}
		if err := r.links.Publish(ctx, m); !errors.Is(err, belfry.ErrDuplicate) {
			return err
		}
		return nil
	}, nil
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
