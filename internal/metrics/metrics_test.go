package metrics

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestReferenceIsUpToDate(t *testing.T) {
	var want bytes.Buffer
	if err := WriteReference(&want); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../docs/metrics.md")
	if err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("docs/metrics.md is not what the table says: run make gen (%v)", err)
	}
}

// full is a registry in which every family has a series.
func full() *Registry {
	r := New(slog.New(slog.DiscardHandler))
	r.Add(func(emit Emit) {
		for _, s := range Sections() {
			for _, f := range s.families {
				if !f.vector {
					emit(f, 1, slices.Repeat([]string{"x"}, len(f.labels))...)
				}
			}
		}
	})
	r.Requests(APIRequests, APITook).Count("publish", 200, time.Millisecond)
	r.Requests(WebhookRequests, WebhookTook).Count("w", 503, time.Second)
	return r
}

// scrape reads what a registry serves.
func scrape(t *testing.T, r *Registry) (map[string]*dto.MetricFamily, string) {
	t.Helper()
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, Path, nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	text := w.Body.String()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	all, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return all, text
}

// TestNamesFollowConventions is what `promtool check metrics` does.
func TestNamesFollowConventions(t *testing.T) {
	all, text := scrape(t, full())
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "belfry_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	for _, s := range Sections() {
		for _, f := range s.families {
			got := all[f.name]
			if got == nil || !strings.EqualFold(got.GetType().String(), f.kind.String()) || got.GetHelp() != f.help {
				t.Errorf("%s is %v, want a %s", f.name, got, f.kind)
			}
			if f.help == "" || !strings.HasSuffix(f.help, ".") {
				t.Errorf("%s: the help %q is no sentence", f.name, f.help)
			}
		}
	}
	if all["go_goroutines"] == nil || all["process_cpu_seconds_total"] == nil {
		t.Error("what Go and the process tell of themselves is not there")
	}
}

// TestWrongNamesAreFound is the control of the linter.
func TestWrongNamesAreFound(t *testing.T) {
	text := "# TYPE belfry_lag_ms counter\nbelfry_lag_ms 1\n"
	if problems, err := promlint.New(strings.NewReader(text)).Lint(); err != nil || len(problems) == 0 {
		t.Errorf("a counter in milliseconds: %v %v", problems, err)
	}
}

// TestWhatIsWrongIsLeftOut: a series with too few labels does not hide the others.
func TestWhatIsWrongIsLeftOut(t *testing.T) {
	var log bytes.Buffer
	r := New(slog.New(slog.NewTextHandler(&log, nil)))
	r.Add(func(emit Emit) {
		emit(Clients, 1)
		emit(Rooms, 7)
	})
	all, _ := scrape(t, r)
	if got := all["belfry_rooms"]; got == nil || got.GetMetric()[0].GetGauge().GetValue() != 7 {
		t.Errorf("rooms are %v, want 7", got)
	}
	if all["belfry_clients"] != nil || !strings.Contains(log.String(), "belfry_clients") {
		t.Errorf("a series without its label: %v; the log: %s", all["belfry_clients"], &log)
	}
}

// value is that of the only series of a family, -1 if it is not there.
func value(all map[string]*dto.MetricFamily, f *Family) float64 {
	got := all[f.name]
	if got == nil || len(got.GetMetric()) != 1 {
		return -1
	}
	m := got.GetMetric()[0]
	return m.GetGauge().GetValue() + m.GetCounter().GetValue()
}

func TestAnswersAreRememberedForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New(slog.New(slog.DiscardHandler))
		asked := 0
		r.Ask("queues", func(_ context.Context, emit Emit) error {
			asked++
			emit(QueueLength, float64(asked), "q")
			return nil
		})
		for range 3 {
			if all, _ := scrape(t, r); value(all, QueueLength) != 1 {
				t.Errorf("%v, want the first answer", value(all, QueueLength))
			}
		}
		time.Sleep(remembered)
		if all, _ := scrape(t, r); value(all, QueueLength) != 2 || value(all, Failures) != 0 {
			t.Errorf("%v, want a second answer, without a failure", value(all, QueueLength))
		}
	})
}

func TestAQuestionIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New(slog.New(slog.DiscardHandler))
		for _, part := range []string{"a", "b"} {
			r.Ask(part, func(ctx context.Context, emit Emit) error {
				emit(QueueLength, 1, part) // what is known counts
				<-ctx.Done()
				return ctx.Err()
			})
		}
		begun := time.Now()
		all, _ := scrape(t, r)
		if took := time.Since(begun); took != bound {
			t.Errorf("two questions that hang take %v, want %v for both", took, bound)
		}
		for _, m := range all[Failures.name].GetMetric() {
			if m.GetCounter().GetValue() != 1 {
				t.Errorf("failures are %v, want 1", m)
			}
		}
		if got := len(all[QueueLength.name].GetMetric()); got != 2 {
			t.Errorf("%d series, want those that were given before", got)
		}
	})
}

// TestOldAnswersAreNotGiven: what cannot be asked for is not there, rather than wrong.
func TestOldAnswersAreNotGiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New(slog.New(slog.DiscardHandler))
		var err error
		r.Ask("queues", func(_ context.Context, emit Emit) error {
			if err == nil {
				emit(QueueLength, 1, "q")
			}
			return err
		})
		scrape(t, r)
		err = errors.New("away")
		time.Sleep(remembered)
		if all, _ := scrape(t, r); value(all, QueueLength) != -1 || value(all, Failures) != 1 {
			t.Errorf("%v, %v; want nothing, and a failure", value(all, QueueLength), value(all, Failures))
		}
	})
}

func TestRequestsAreCounted(t *testing.T) {
	r := New(slog.New(slog.DiscardHandler))
	api := r.Requests(APIRequests, APITook)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				api.Count("publish", 200, time.Millisecond)
				api.Count("publish", 503, time.Minute)
			}
		})
	}
	all.Wait()
	got, _ := scrape(t, r)
	for _, m := range got[APIRequests.name].GetMetric() {
		if m.GetCounter().GetValue() != 8000 {
			t.Errorf("%v, want 8000", m)
		}
	}
	took := got[APITook.name].GetMetric()[0].GetHistogram()
	if len(got[APIRequests.name].GetMetric()) != 2 || took.GetSampleCount() != 16_000 || took.GetBucket()[0].GetCumulativeCount() != 8000 {
		t.Errorf("took %v, want 16000 with 8000 of a millisecond", took)
	}
}

// BenchmarkCount is what metrics cost a call of the HTTP API.
func BenchmarkCount(b *testing.B) {
	api := New(slog.New(slog.DiscardHandler)).Requests(APIRequests, APITook)
	b.ReportAllocs()
	for b.Loop() {
		api.Count("publish", 200, time.Millisecond)
	}
}

// BenchmarkScrape is one scrape of every family.
func BenchmarkScrape(b *testing.B) {
	h := full().Handler()
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, Path, nil))
	}
}
