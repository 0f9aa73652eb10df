package sqlite_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seed-09a96375/belfry/archive"
	"github.com/seed-09a96375/belfry/archive/archivetest"
	"github.com/seed-09a96375/belfry/archive/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t testing.TB, o sqlite.Options) *sqlite.Store {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := sqlite.Open(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestStore(t *testing.T) {
	archivetest.Run(t, func(t *testing.T) (archive.Store, func() archive.Store) {
		o := sqlite.Options{File: filepath.Join(t.TempDir(), "name with #? %41.db")}
		return open(t, o), func() archive.Store { return open(t, o) }
	})
}
