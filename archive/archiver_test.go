package archive_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/archive"
)

// start runs an archiver until stop is called.
func start(t *testing.T, o archive.Options) (a *archive.Archiver, stop func() error) {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	a, err := archive.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	return a, func() error {
		cancel()
		return <-ended
	}
}

func TestDoneOnceItIsARow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := &store{wait: make(chan struct{})}, newFeed()
		a, stop := start(t, archive.Options{Source: f, Store: m})
		f.in <- records(0, 10)
		synctest.Wait()
		if len(f.outcome()) != 0 {
			t.Error("done with before they are rows")
		}
		close(m.wait)
		synctest.Wait()
		if got := f.outcome(); len(got) != 10 || m.count() != 10 {
			t.Errorf("%d done, %d rows", len(got), m.count())
		}
		if s := a.Stats(); s.Rows != 10 || s.Batches != 1 || s.Lag.Records != 7 || s.LagAt.IsZero() || s.Failures != 0 {
			t.Errorf("%+v", s)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestTheStoreComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := &store{fail: errAway}, newFeed()
		a, stop := start(t, archive.Options{Source: f, Store: m})
		f.in <- records(0, 10)
		f.in <- records(10, 20)
		time.Sleep(time.Minute) // of the bubble: it takes no time
		if s := a.Stats(); !errors.Is(s.LastError, errAway) || s.Away.IsZero() || s.Rows != 0 {
			t.Errorf("%+v", s)
		}
		m.mu.Lock()
		if n := len(m.batches); n < 8 || n > 20 {
			t.Errorf("%d tries in a minute", n)
		}
		m.fail = nil
		m.mu.Unlock()
		time.Sleep(20 * time.Second)
		if s := a.Stats(); m.count() != 20 || len(f.outcome()) != 20 || !s.Away.IsZero() || s.Rows != 20 {
			t.Errorf("%d rows, %d done, %+v", m.count(), len(f.outcome()), s)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestPoisonIsFoundAndPutAside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := &store{refuse: map[string]bool{"r0003": true, "r0077": true}}, newFeed()
		a, stop := start(t, archive.Options{Source: f, Store: m, BatchBytes: 100_000})
		all := records(0, 100)
		all[50].Value = []byte("nonsense")
		all[51].Value = []byte(`{"event":"say","args":["` + strings.Repeat("x", 50_000) + `"]}`)
		all[52].Value = []byte(`{"event":"say","time":"2199-01-01T00:00:00Z"}`)
		f.in <- all
		synctest.Wait()
		got := f.outcome()
		for id, want := range map[string]string{
			"r0003": "no r0003", "r0077": "no r0077", "r0050": "JSON object", "r0051": "at most 50000", "r0052": "ahead of the clock",
		} {
			if err := got[id]; err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", id, err)
			}
		}
		if len(got) != 100 || m.count() != 95 || a.Stats().Poisoned != 5 {
			t.Errorf("%d done, %d rows, %+v", len(got), m.count(), a.Stats())
		}
		for i := 1; i < len(m.order); i++ {
			if m.order[i-1] >= m.order[i] {
				t.Errorf("%s is before %s", m.order[i-1], m.order[i])
			}
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// single is a Source without batches that has many keys at once.
type single struct {
	records []*belfry.Record
	mu      sync.Mutex
	errs    map[string]error
}

func (s *single) Run(ctx context.Context, handle func(context.Context, *belfry.Record) error) error {
	var all sync.WaitGroup
	for _, r := range s.records {
		all.Go(func() {
			err := handle(ctx, r)
			s.mu.Lock()
			defer s.mu.Unlock()
			s.errs[r.ID] = err
		})
	}
	all.Wait()
	<-ctx.Done()
	return ctx.Err()
}

// TestSingleRecordsShareBatches also has each caller get what is said of its own.
func TestSingleRecordsShareBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &store{refuse: map[string]bool{"r0123": true}, wait: make(chan struct{})}
		s := &single{records: records(0, 500), errs: make(map[string]error)}
		_, stop := start(t, archive.Options{Source: s, Store: m, BatchRecords: 100})
		defer func() {
			if err := stop(); err != nil {
				t.Error(err)
			}
		}()
		synctest.Wait()
		close(m.wait)
		time.Sleep(10 * time.Second)
		s.mu.Lock()
		defer s.mu.Unlock()
		for id, err := range s.errs {
			var poison *belfry.PoisonError
			if errors.As(err, &poison) != (id == "r0123") {
				t.Errorf("%s: %v", id, err)
			}
		}
		if len(s.errs) != 500 || m.count() != 499 || len(m.batches) > 30 {
			t.Errorf("%d answers, %d rows, %d batches", len(s.errs), m.count(), len(m.batches))
		}
		for _, n := range m.batches {
			if n > 100 {
				t.Errorf("a batch of %d", n)
			}
		}
	})
}

// TestPace: a single record is written at once; those of the next 50 ms together.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &store{}
		s := &trickle{}
		_, stop := start(t, archive.Options{Source: s, Store: m})
		time.Sleep(10 * time.Second)
		if err := stop(); err != nil {
			t.Error(err)
		}
		if n := len(m.batches); m.count() < 9000 || n < 150 || n > 210 {
			t.Errorf("%d rows in %d batches", m.count(), n)
		}
	})
}

// trickle is a Source with a record each millisecond, of a key of its own.
type trickle struct{ n int }

func (s *trickle) Run(ctx context.Context, handle func(context.Context, *belfry.Record) error) error {
	var all sync.WaitGroup
	defer all.Wait()
	for next := time.NewTicker(time.Millisecond); ; s.n++ {
		select {
		case <-next.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		n := s.n
		all.Go(func() { _ = handle(ctx, record(n)) })
	}
}

func TestStopFinishesWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := &store{wait: make(chan struct{})}, newFeed()
		_, stop := start(t, archive.Options{Source: f, Store: m})
		f.in <- records(0, 10)
		synctest.Wait()
		time.AfterFunc(5*time.Second, func() { close(m.wait) })
		if err := stop(); err != nil {
			t.Error(err)
		}
		if len(f.outcome()) != 10 || m.count() != 10 {
			t.Errorf("%d done, %d rows", len(f.outcome()), m.count())
		}
	})
}

func TestStopDoesNotWaitForever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := &store{fail: errAway}, newFeed()
		_, stop := start(t, archive.Options{Source: f, Store: m, StopTimeout: 3 * time.Second})
		f.in <- records(0, 10)
		synctest.Wait()
		from := time.Now()
		if err := stop(); err != nil {
			t.Error(err)
		}
		if d := time.Since(from); d != 3*time.Second || len(f.outcome()) != 0 || len(f.left) != 10 {
			t.Errorf("after %v %d are done with and %d come again", d, len(f.outcome()), len(f.left))
		}
	})
}

func TestTheStoreIsTended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &store{}
		_, stop := start(t, archive.Options{Source: newFeed(), Store: m})
		time.Sleep(2*time.Hour + time.Minute)
		if m.set(func() {}); m.tended != 4 { // at once, again after a failure, each hour
			t.Errorf("tended %d times", m.tended)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// broken is a Source that cannot go on.
type broken struct{}

func (broken) Run(context.Context, func(context.Context, *belfry.Record) error) error {
	return errors.New("no such topic")
}

func TestSourceThatEnds(t *testing.T) {
	a, err := archive.New(archive.Options{Source: broken{}, Store: &store{}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Run(t.Context()); err == nil || err.Error() != "no such topic" {
		t.Errorf("%v", err)
	}
}

func TestOptions(t *testing.T) {
	_, err := archive.New(archive.Options{
		BatchRecords: -1, BatchBytes: -1, RetryMin: -1, RetryMax: -2, StopTimeout: -1, MaxAhead: -1, TendInterval: -1, LagInterval: -1,
	})
	for _, field := range []string{"Source", "Store", "BatchRecords", "BatchBytes", "RetryMin", "RetryMax", "StopTimeout", "MaxAhead", "TendInterval", "LagInterval"} {
		if err == nil || !strings.Contains(err.Error(), "Options."+field+" is") {
			t.Errorf("%s is not named: %v", field, err)
		}
	}
}
