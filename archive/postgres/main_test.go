//go:build unix

package postgres_test

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seed-09a96375/belfry/archive"
	"github.com/seed-09a96375/belfry/archive/archivetest"
	"github.com/seed-09a96375/belfry/archive/postgres"
	"github.com/seed-09a96375/belfry/internal/postgrestest"
)

// TestMain looks for goroutines that are left behind, but not in an archiver of its
// own process: that is told to end at any time, also while it connects.
func TestMain(m *testing.M) {
	if os.Getenv(childPostgres) != "" {
		os.Exit(m.Run())
	}
	goleak.VerifyTestMain(m)
}

// open opens an archive and closes it with the test.
func open(t testing.TB, o postgres.Options) *postgres.Store {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := postgres.Open(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// TestStore has all that needs one server that stays up.
func TestStore(t *testing.T) {
	server := postgrestest.Start(t)
	archivetest.Run(t, func(t *testing.T) (archive.Store, func() archive.Store) {
		o := postgres.Options{URL: server.Database(t), Partition: postgres.Day}
		return open(t, o), func() archive.Store { return open(t, o) }
	})
	for name, test := range map[string]func(*testing.T, *postgrestest.Server){
		"Migrations":            migrations,
		"FromTheFirst":          fromTheFirst,
		"OthersTable":           othersTable,
		"NewerSchema":           newerSchema,
		"ManyStart":             manyStart,
		"Retention":             retention,
		"SpanChanges":           spanChanges,
		"PartitionDropped":      partitionDropped,
		"RefusesWhatIsTooLarge": refuses,
		"SlowReader":            slowReader,
		"PagesLeaveOut":         pagesLeaveOut,
		"ColumnsAreReadable":    columnsAreReadable,
		"OpenToRead":            openToRead,
	} {
		t.Run(name, func(t *testing.T) { test(t, server) })
	}
}
