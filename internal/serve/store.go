package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/archive"
	"github.com/seed-09a96375/belfry/archive/postgres"
	"github.com/seed-09a96375/belfry/archive/sqlite"
)

// lateStore is a store whose database may be away when the node starts: clients are
// served even so.
type lateStore struct {
	open func(context.Context) (database, error)
	log  *slog.Logger

	mu sync.RWMutex // held by those who use db: it is closed when nobody does
	db database     // nil: not open yet, or closed
}

// database is what a store has besides.
type database interface {
	archive.Store
	archive.Tender
	Close()
}

// tables says where the tables are in Postgres.
func (a Archive) tables() postgres.Options {
	return postgres.Options{URL: a.Postgres, Schema: a.Schema, Table: a.Table, Retention: a.Retention}
}

// validateTables names what cannot work of them.
func (a Archive) validateTables() (faults []error) {
	if a.Postgres == "" {
		for _, only := range []struct{ name, v string }{{"Schema", a.Schema}, {"Table", a.Table}} {
			if only.v != "" {
				faults = append(faults, fmt.Errorf("serve: Options.Archive.%s is %q: only a database in Postgres has it", only.name, only.v))
			}
		}
		return faults
	}
	o := a.tables()
	o.URL, o.Retention = "postgres://localhost/messages", max(a.Retention, 0) // these are named elsewhere
	many, _ := o.Validate().(interface{ Unwrap() []error })
	if many == nil {
		return nil
	}
	for _, err := range many.Unwrap() {
		faults = append(faults, errors.New("serve: Options.Archive"+strings.TrimPrefix(err.Error(), "postgres: Options")))
	}
	return faults
}

// openStore opens a store, or will. An error does not pass by itself.
func openStore(ctx context.Context, a Archive, log *slog.Logger) (*lateStore, error) {
	s := &lateStore{log: log, open: func(ctx context.Context) (database, error) {
		if a.SQLite != "" {
			db, err := sqlite.Open(ctx, sqlite.Options{File: a.SQLite, Retention: a.Retention, Logger: log})
			return sqliteStore{db}, err
		}
		o := a.tables()
		o.Logger = log
		return postgres.Open(ctx, o)
	}}
	if err := s.try(ctx); err != nil && !postgres.Passes(err) {
		return nil, err
	}
	return s, nil
}

func (s *lateStore) try(ctx context.Context) error {
	db, err := s.open(ctx)
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.db = db
	}
	return err
}

// openPause is the time between tries.
const openPause = time.Second

// run opens the database if it was away.
func (s *lateStore) run(ctx context.Context) {
	tick := time.NewTicker(openPause)
	defer tick.Stop()
	for !s.there() {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := s.try(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("the archive cannot be opened yet", "err", err)
		}
	}
}

func (s *lateStore) there() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.db != nil
}

// close ends what was opened, after the calls that are under way.
func (s *lateStore) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.db != nil {
		s.db.Close()
		s.db = nil
	}
}

// use calls f with the database.
func (s *lateStore) use(f func(database) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.db == nil {
		return belfry.ErrUnavailable
	}
	return f(s.db)
}

// Append implements archive.Store.
func (s *lateStore) Append(ctx context.Context, entries []archive.Entry) error {
	return s.use(func(db database) error { return db.Append(ctx, entries) })
}

// Page implements archive.Store.
func (s *lateStore) Page(ctx context.Context, q archive.Query) (found []archive.Entry, err error) {
	err = s.use(func(db database) error {
		found, err = db.Page(ctx, q)
		return err
	})
	return found, err
}

// Tend implements archive.Tender.
func (s *lateStore) Tend(ctx context.Context) error {
	return s.use(func(db database) error { return db.Tend(ctx) })
}

// tasks are goroutines that end together. The zero value has none.
type tasks struct {
	cancels []context.CancelFunc
	all     sync.WaitGroup
}

func (t *tasks) begin(f func(context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	t.cancels = append(t.cancels, cancel)
	t.all.Go(func() { f(ctx) })
}

func (t *tasks) end() {
	for _, cancel := range t.cancels {
		cancel()
	}
	t.all.Wait()
}
