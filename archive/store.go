package archive

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-09a96375/belfry"
)

// Store is where entries are kept. Safe for concurrent use, by several processes too.
type Store interface {
	// Append keeps entries that Validate finds nothing wrong with: all of them, or
	// after an error none; nil means that they are durable. An entry with the ID
	// and Time of one that is kept, or of another of the same call, is that entry:
	// the first stays as it is. One with the ID alone may be it, or not. To append again is safe after every error.
	// A *RefusedError says that the store can never keep them all, a batch with
	// fewer maybe; every other error passes. It blocks no longer than ctx.
	Append(ctx context.Context, entries []Entry) error
	// Page returns entries of a room, in the order that q asks for; nil if there are
	// none. It blocks no longer than ctx.
	Page(ctx context.Context, q Query) ([]Entry, error)
}

// RefusedError says that a store can never keep what it was given.
type RefusedError struct{ Reason error }

func (e *RefusedError) Error() string { return "the database refuses it: " + e.Reason.Error() }

// Unwrap returns what the database said.
func (e *RefusedError) Unwrap() error { return e.Reason }

// Query selects entries of a room.
type Query struct {
	Namespace string
	Room      belfry.Room
	// Before and After are exclusive bounds. Zero: no bound.
	Before, After Position
	// Oldest asks for the oldest entries first, in place of the newest.
	Oldest bool
	// Limit bounds the entries. Default DefaultLimit, at most MaxLimit.
	Limit int
}

// Limits of a page, entries.
const (
	DefaultLimit = 50
	MaxLimit     = 1000
)

// ErrQuery: no store can answer such a query.
var ErrQuery = errors.New("no such page")

// Complete returns q with its defaults. The error is ErrQuery, and names the field.
func (q Query) Complete() (Query, error) {
	if q.Namespace == "" {
		q.Namespace = "/"
	}
	if q.Limit == 0 {
		q.Limit = DefaultLimit
	}
	if q.Limit < 0 || q.Limit > MaxLimit {
		return q, fmt.Errorf("%w: limit is %d: must be between 1 and %d", ErrQuery, q.Limit, MaxLimit)
	}
	if q.Room == "" {
		return q, fmt.Errorf("%w: room is missing", ErrQuery)
	}
	return q, nil
}

// Tender is what a Store offers in addition when it has to be looked after. Found by
// assertion on the Store.
type Tender interface {
	// Tend drops what is older than the retention and prepares for what comes. Call
	// it when an archiver starts, and then every hour or so; several processes may.
	Tend(ctx context.Context) error
}

// Surveyor is what a Store offers in addition when it can tell what it holds. Found
// by assertion on the Store.
type Surveyor interface {
	// Survey counts. It blocks no longer than ctx.
	Survey(ctx context.Context) (*Survey, error)
}

// Survey is what a store holds.
type Survey struct {
	Rows       int64       `json:"rows"`
	Estimated  bool        `json:"estimated,omitempty"` // Rows are
	Bytes      int64       `json:"bytes"`               // with indexes
	Partitions []Partition `json:"partitions,omitempty"`
}

// Partition is a part of a store that is dropped as a whole.
type Partition struct {
	Name  string    `json:"name"`
	From  time.Time `json:"from"` // of its entries
	To    time.Time `json:"to"`   // exclusive
	Rows  int64     `json:"rows"` // estimated
	Bytes int64     `json:"bytes"`
}

// SchemaError says that the database was made by a newer Belfry.
type SchemaError struct {
	Have, Known int // version of the database, and the newest that is known here
}

func (e *SchemaError) Error() string {
	return fmt.Sprintf("the archive's schema has version %d, this belfry knows versions up to %d", e.Have, e.Known)
}

// Hint says what to do.
func (e *SchemaError) Hint() string { return "run the newer belfry that has upgraded the archive" }
