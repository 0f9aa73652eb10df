package socketio

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/seed-09a96375/belfry"
)

// RoomLimits bounds what the cluster keeps for rooms with presence. Zero values
// mean the defaults.
type RoomLimits struct {
	// MaxMeta bounds the JSON of a member's metadata. Default 4 KiB.
	MaxMeta int
	// MaxKey bounds the bytes of a key of the state. Default 256.
	MaxKey int
	// MaxValue bounds the JSON of a value. Default 16 KiB.
	MaxValue int
	// MaxEntries bounds the entries of a room. Default 100.
	MaxEntries int
}

func (l RoomLimits) withDefaults() RoomLimits {
	for _, d := range []struct {
		field *int
		value int
	}{{&l.MaxMeta, 4 << 10}, {&l.MaxKey, 256}, {&l.MaxValue, 16 << 10}, {&l.MaxEntries, 100}} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	return l
}

func (l RoomLimits) validate() error {
	var errs []error
	for _, d := range []struct {
		name  string
		value int
	}{{"MaxMeta", l.MaxMeta}, {"MaxKey", l.MaxKey}, {"MaxValue", l.MaxValue}, {"MaxEntries", l.MaxEntries}} {
		if d.value < 0 {
			errs = append(errs, fmt.Errorf("socketio: Options.RoomLimits.%s is %d: must be positive, or 0 for the default", d.name, d.value))
		}
	}
	return errors.Join(errs...)
}

// ErrTooManyEntries: the room has as many entries as Options.RoomLimits allows.
var ErrTooManyEntries = belfry.ErrTooManyEntries

// TooLargeError says that something is larger than Options.RoomLimits allows.
type TooLargeError struct {
	What      string // "metadata", "key", "value", "user"
	Size, Max int    // bytes
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%s of %d bytes: %d at most", e.What, e.Size, e.Max)
}

func sized(what string, size, limit int) error {
	if size > limit {
		return &TooLargeError{what, size, limit}
	}
	return nil
}

// bounded encodes a value for the cluster.
func bounded(what string, v any, limit int) (json.RawMessage, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", what, err)
	}
	return raw, sized(what, len(raw), limit)
}
