package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/archive"
	"github.com/seed-09a96375/belfry/archive/postgres"
	"github.com/seed-09a96375/belfry/archive/sqlite"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/internal/history"
	"github.com/seed-09a96375/belfry/internal/route"
)

// Archive is where the past of rooms is kept and read. The zero value: nowhere.
type Archive struct {
	// SQLite is the file of it, for the nodes of one machine. Postgres is the URL of
	// a database. At most one of them.
	SQLite, Postgres string
	// Schema and Table are those in Postgres; see postgres.Options.
	Schema, Table string
	// Retention is how long messages are kept. 0: for ever.
	Retention time.Duration
	// Delay is how far behind the archive may be; see archive.ReaderOptions. Default
	// 10 s.
	Delay time.Duration
}

func (a Archive) on() bool { return a.SQLite != "" || a.Postgres != "" }

// archiveName is the queue in which messages wait for the archive, and its group.
const archiveName = "archive"

// archives reports whether a route or a rule keeps anything.
func (o Options) archives() bool {
	return slices.ContainsFunc(o.Routes.Routes, func(r route.Route) bool { return r.Archive }) ||
		slices.ContainsFunc(o.Routes.Messages, func(r route.Rule) bool { return r.Archive })
}

// validateArchive names what cannot work.
func (o Options) validateArchive() (faults []error) {
	a := o.Archive
	bad := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("serve: Options.Archive"+format, args...))
	}
	switch {
	case a.SQLite != "" && a.Postgres != "":
		bad(".Postgres is given together with SQLite: must be the one or the other")
	case a.Postgres != "" && (postgres.Options{URL: a.Postgres}).Validate() != nil:
		bad(".Postgres is not a URL like postgres://user@host/database")
	}
	faults = append(faults, a.validateTables()...)
	if a.Retention < 0 {
		bad(".Retention is %v: must not be negative", a.Retention)
	}
	if a.Delay < 0 {
		bad(".Delay is %v: must not be negative", a.Delay)
	}
	keeps := func(what string, i int, archive bool) {
		if archive && !a.on() {
			faults = append(faults, fmt.Errorf("route: Options.%s[%d].Archive is true: needs an archive: give archive.sqlite or archive.postgres", what, i))
		}
	}
	for i, r := range o.Routes.Routes {
		keeps("Routes", i, r.Archive)
	}
	for i, r := range o.Routes.Messages {
		keeps("Messages", i, r.Archive)
	}
	for i, q := range o.Queues {
		if q.Name == archiveName && o.archives() {
			faults = append(faults, fmt.Errorf("serve: Options.Queues[%d].Name is %q: that is the queue of the archive", i, q.Name))
		}
	}
	return faults
}

// keeper is the archive of a node: what writes it, if anything does, and what reads it.
type keeper struct {
	store    *lateStore
	reader   *history.Reader
	archiver *archive.Archiver // writes; nil: nothing is kept
	waiting  atomic.Int64      // what this node has appended in memory, and is not kept yet
	alone    bool              // the queue is in memory
	tasks    tasks
}

// openArchive opens the store, and the queue before it.
func (n *node) openArchive(ctx context.Context) error {
	if !n.o.Archive.on() {
		return nil
	}
	k := &keeper{alone: n.o.Bus.URL == ""}
	var err error
	if k.store, err = openStore(ctx, n.o.Archive, n.log); err != nil {
		return fmt.Errorf("open the archive: %w", err)
	}
	n.archive = k
	if n.o.archives() {
		return n.queues.add(ctx, n.o, Queue{Name: archiveName, Groups: []string{archiveName}})
	}
	return nil
}

// runArchive begins to write, and to watch the log for those who read.
func (n *node) runArchive(h *hub.Hub) error {
	k := n.archive
	if k == nil {
		return nil
	}
	o := archive.ReaderOptions{Store: k.store, Delay: n.o.Archive.Delay}
	if log, err := h.Recovery(); err == nil {
		o.Log = log
	}
	if c, ok := n.queues.byName[archiveName].(*counted); ok && n.o.archives() {
		o.Lag = c.lag
	}
	reader, err := archive.NewReader(o)
	if err != nil {
		return err
	}
	k.reader = &history.Reader{Archive: reader, Log: o.Log, Namespace: namespace, Failed: func(err error) { n.log.Warn("the archive cannot be read", "err", err) }}
	k.tasks.begin(reader.Run)
	k.tasks.begin(k.store.run)
	if !n.o.archives() {
		return nil
	}
	a, err := archive.New(archive.Options{Source: &events{k, n.queues.byName[archiveName]}, Store: k.store, Logger: n.log})
	if err != nil {
		return err
	}
	k.archiver = a
	k.tasks.begin(func(ctx context.Context) {
		if err := a.Run(ctx); err != nil {
			n.log.Error("the archive is not written any more", "err", err)
		}
	})
	return nil
}

// closeArchive waits for what is only in memory, no longer than for clients.
func (n *node) closeArchive() {
	k := n.archive
	if k == nil {
		return
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(closeTime); k.alone && k.waiting.Load() > 0; {
		select {
		case <-tick.C:
			continue
		case <-late:
			n.log.Error("messages are lost for the archive, which cannot be written", "messages", k.waiting.Load())
		}
		break
	}
	k.tasks.end()
	k.store.close()
}

// archiveQueue is the archive as routes and rules want it.
func (n *node) archiveQueue() belfry.Queue {
	if n.archive == nil || !n.o.archives() {
		return nil
	}
	return &events{n.archive, n.queues.byName[archiveName]}
}

// events are the queue of the archive, on its way in, and as a source on its way out.
type events struct {
	*keeper
	queue queue
}

// Append implements belfry.Queue.
func (e *events) Append(ctx context.Context, event *belfry.Event) error {
	e.waiting.Add(1)
	err := e.queue.Append(ctx, event)
	if err != nil {
		e.waiting.Add(-1)
	}
	return err
}

// archiveBatch is how many messages are written at once.
const archiveBatch = 1000

// Run implements belfry.Source.
func (e *events) Run(ctx context.Context, handle func(context.Context, *belfry.Record) error) error {
	return e.queue.Consume(ctx, archiveName, func(ctx context.Context, d *belfry.Delivery) (*belfry.Answer, error) {
		err := handle(ctx, recordOf(&d.Event))
		var poison *belfry.PoisonError
		if err == nil || errors.As(err, &poison) {
			e.waiting.Add(-1)
		}
		return nil, err
	}, belfry.ConsumeOptions{Concurrency: archiveBatch, Unordered: true, MaxTries: -1})
}

// recordOf is an event in the form that the archive reads.
func recordOf(e *belfry.Event) *belfry.Record {
	r := &belfry.Record{ID: e.ID, Key: e.Key, Time: e.Time, Meta: map[string]string{
		"id": e.ID, "namespace": e.Namespace, "room": string(e.Room), "event": e.Name, "args": string(e.Args), "user": e.User,
		"socket": string(e.Socket), "offset": string(e.Offset), "time": strconv.FormatInt(e.Time.UnixMilli(), 10),
	}}
	if len(e.Rooms) > 0 {
		rooms, _ := json.Marshal(e.Rooms) // texts only
		r.Meta["rooms"] = string(rooms)
	}
	return r
}

// sqliteStore has the Close that the others have.
type sqliteStore struct{ *sqlite.Store }

func (s sqliteStore) Close() { _ = s.Store.Close() } // what Append has returned nil for is on the disk

// lag is what the archive has not written of its queue.
func (c *counted) lag(ctx context.Context) (belfry.Lag, error) {
	var lag belfry.Lag
	if c.memory != nil {
		for _, g := range c.memory.Stats().Groups {
			lag.Records, lag.Age = lag.Records+int64(g.Pending+g.Lag), max(lag.Age, g.Oldest)
		}
		return lag, nil
	}
	s, err := c.redis.Stats(ctx)
	for _, g := range s.Groups {
		if g.Lag < 0 && err == nil {
			err = errors.New("redis cannot tell what the archive has not got")
		}
		lag.Records, lag.Age = lag.Records+g.Pending+g.Lag, max(lag.Age, g.Oldest)
	}
	return lag, err
}
