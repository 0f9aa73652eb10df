package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/archive"
	"github.com/seed-09a96375/belfry/archive/postgres"
	"github.com/seed-09a96375/belfry/archive/sqlite"
	"github.com/seed-09a96375/belfry/internal/backplane"
	"github.com/seed-09a96375/belfry/internal/config"
	"github.com/seed-09a96375/belfry/internal/health"
	"github.com/seed-09a96375/belfry/internal/metrics"
	"github.com/seed-09a96375/belfry/kafkaconn"
	"github.com/seed-09a96375/belfry/source/kafka"
	"github.com/seed-09a96375/belfry/source/redisstream"
)

type archiveOptions struct {
	archiveFlags
	listen        string
	statsInterval time.Duration
	batch         int
	log           config.Log
	logger        *slog.Logger
}

// archiving is a running archive: first it waits for its services, then it archives.
type archiving struct {
	mu       sync.Mutex
	waiting  error // why it does not archive yet
	source   belfry.Source
	archiver *archive.Archiver
}

func runArchive(ctx context.Context, o *archiveOptions) error {
	state := &archiving{waiting: errors.New("it starts")}
	stop, err := state.serve(o)
	if err != nil {
		return err
	}
	defer stop()

	var store database
	err = state.patiently(ctx, o.logger, postgres.Passes, func() (err error) {
		store, err = o.openStore(ctx, o.logger)
		return err
	})
	if store == nil {
		return endOf(ctx, err)
	}
	defer closeStore(store)
	var source belfry.Source
	release := func() {}
	err = state.patiently(ctx, o.logger, func(error) bool { return true }, func() (err error) {
		source, release, err = o.openSource(ctx, o.logger)
		return err
	})
	if source == nil {
		return endOf(ctx, err)
	}
	defer release()
	return state.run(ctx, o, source, store)
}

// endOf is no error if the process was told to end.
func endOf(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// patiently calls open until it works, ctx ends, or the error does not pass.
func (s *archiving) patiently(ctx context.Context, logger *slog.Logger, passes func(error) bool, open func() error) error {
	const most = 10 * time.Second
	for wait := 200 * time.Millisecond; ; wait = min(2*wait, most) {
		err := open()
		if err == nil || ctx.Err() != nil || !passes(err) {
			return err
		}
		s.mu.Lock()
		s.waiting = err
		s.mu.Unlock()
		logger.Warn("archive: waits", "for", err, "again", wait)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *archiving) run(ctx context.Context, o *archiveOptions, source belfry.Source, store archive.Store) error {
	a, err := archive.New(archive.Options{Source: source, Store: store, BatchRecords: o.batch, Logger: o.logger})
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.source, s.archiver = source, a
	s.mu.Unlock()
	o.logger.Info("archiving")
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() { s.report(ctx, o) })
	err = a.Run(ctx)
	cancel()
	all.Wait()
	o.logger.Info("stopped", "stats", s.stats())
	return err
}

// report writes the line of stats.
func (s *archiving) report(ctx context.Context, o *archiveOptions) {
	if o.statsInterval <= 0 {
		return
	}
	next := time.NewTicker(o.statsInterval)
	defer next.Stop()
	for {
		select {
		case <-next.C:
			o.logger.Info("archive", "stats", s.stats())
		case <-ctx.Done():
			return
		}
	}
}

func (a *archiveFlags) openStore(ctx context.Context, logger *slog.Logger) (database, error) {
	if a.sqlite != "" {
		return asDatabase(sqlite.Open(ctx, sqlite.Options{File: a.sqlite, Retention: a.retention, Logger: logger}))
	}
	p := a.postgres
	p.Logger = logger
	return asDatabase(postgres.Open(ctx, p))
}

// asDatabase keeps a nil pointer from becoming an interface that is not nil.
func asDatabase[T database](store T, err error) (database, error) {
	if err != nil {
		return nil, err
	}
	return store, nil
}

func closeStore(store database) {
	switch s := store.(type) {
	case *postgres.Store:
		s.Close()
	case *sqlite.Store:
		_ = s.Close()
	}
}

// openSource returns a source, and what lets go of it.
func (a *archiveFlags) openSource(ctx context.Context, logger *slog.Logger) (belfry.Source, func(), error) {
	if a.kafka != "" {
		source, err := kafka.New(kafka.Options{
			Kafka: kafkaconn.Options{URL: a.kafka}, Topics: a.topics, Group: a.group, CreateTopics: true, Logger: logger,
		})
		if err != nil {
			return nil, nil, err
		}
		return source, func() {}, nil
	}
	conn, err := a.bus.Connection()
	if err != nil {
		return nil, nil, err
	}
	client, err := conn.Open(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("connect to Redis: %w", err)
	}
	source, err := redisstream.New(redisstream.Options{
		Client: client, Stream: a.stream, Group: a.group, Node: string(backplane.NodeID("")),
		Field:    "args", // the archive reads the fields: a value of all of them would be for nothing
		KeyField: "key", Batch: 1000, Logger: logger,
	})
	if err != nil {
		client.Close()
		return nil, nil, err
	}
	return source, client.Close, nil
}

// serve answers on listen until the function that it returns is called.
func (s *archiving) serve(o *archiveOptions) (stop func(), err error) {
	if o.listen == "" {
		return func() {}, nil
	}
	l, err := net.Listen("tcp", o.listen)
	if err != nil {
		return nil, &Error{Err: fmt.Errorf("cannot listen on %s: %w", o.listen, err), Hint: "choose another with --listen, or none with --listen ''"}
	}
	mux := http.NewServeMux()
	mux.Handle(health.Path, health.Handler(s.ready))
	mux.Handle("GET "+metrics.Path, s.metrics(o))
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_ = json.NewEncoder(w).Encode(s.stats()) // who asked gets it, or has gone
	})
	const patience = 10 * time.Second
	server := &http.Server{Handler: mux, ReadHeaderTimeout: patience, ReadTimeout: patience, WriteTimeout: patience}
	var all sync.WaitGroup
	all.Go(func() { _ = server.Serve(l) })
	return func() {
		_ = server.Close()
		all.Wait()
	}, nil
}

// ready reports whether messages become rows.
func (s *archiving) ready() (ok bool, reasons []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.archiver == nil {
		return false, []string{"does not archive yet: " + s.waiting.Error()}
	}
	if v := s.archiver.Stats(); !v.Away.IsZero() {
		reasons = append(reasons, fmt.Sprintf("the database fails since %s: %v", v.Away.UTC().Format(time.RFC3339), v.LastError))
	} else if v.LagErr != nil {
		reasons = append(reasons, "the source does not answer: "+v.LagErr.Error())
	}
	return len(reasons) == 0, reasons
}

// archiveStats is what /stats and the log show.
type archiveStats struct {
	Rows       int64      `json:"rows"`
	RowsPerSec float64    `json:"rows_per_second"`
	Batches    int64      `json:"batches"`
	Poisoned   int64      `json:"poisoned"`
	Failures   int64      `json:"failures"`
	LastError  string     `json:"last_error,omitempty"`
	AwaySince  *time.Time `json:"away_since,omitempty"`
	LastWrite  *time.Time `json:"last_write,omitempty"`
	Lag        *lagStats  `json:"lag,omitempty"`
}

type lagStats struct {
	Records int64   `json:"records"`
	Seconds float64 `json:"seconds"` // age of the oldest
	Error   string  `json:"error,omitempty"`
}

// LogValue is one group of the log.
func (v archiveStats) LogValue() slog.Value {
	all := []slog.Attr{
		slog.Int64("rows", v.Rows), slog.Float64("rows_per_second", v.RowsPerSec), slog.Int64("batches", v.Batches),
		slog.Int64("poisoned", v.Poisoned), slog.Int64("failures", v.Failures),
	}
	if v.AwaySince != nil {
		all = append(all, slog.Time("away_since", *v.AwaySince), slog.String("last_error", v.LastError))
	}
	if v.Lag != nil {
		all = append(all, slog.Int64("lag_records", v.Lag.Records), slog.Float64("lag_seconds", v.Lag.Seconds))
	}
	return slog.GroupValue(all...)
}

func (s *archiving) stats() archiveStats {
	s.mu.Lock()
	a := s.archiver
	s.mu.Unlock()
	if a == nil {
		return archiveStats{}
	}
	v := a.Stats()
	out := archiveStats{Rows: v.Rows, RowsPerSec: v.Rate, Batches: v.Batches, Poisoned: v.Poisoned, Failures: v.Failures}
	if v.LastError != nil {
		out.LastError = v.LastError.Error()
	}
	if !v.Away.IsZero() {
		out.AwaySince = &v.Away
	}
	if !v.LastWrite.IsZero() {
		out.LastWrite = &v.LastWrite
	}
	if !v.LagAt.IsZero() {
		out.Lag = newLagStats(v.Lag, v.LagErr)
	}
	return out
}

func newLagStats(lag belfry.Lag, err error) *lagStats {
	l := &lagStats{Records: lag.Records, Seconds: lag.Age.Seconds()}
	if err != nil {
		l.Error = err.Error()
	}
	return l
}
