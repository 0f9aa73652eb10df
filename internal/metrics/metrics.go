// Package metrics is what Prometheus reads of a process.
//
//	GET /metrics → Registry ─┬ Part: reads counters that are there anyway
//	                         ├ asked: Redis, bounded in time, remembered for seconds
//	                         └ Requests: what is counted as it happens
//
// Nothing here is on the way of a message: what moves messages counts with its own
// atomics, and knows no Prometheus. docs/metrics.md is made of the table of families.
package metrics

import (
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

//go:generate go run ./generate

// Path is where metrics are served.
const Path = "/metrics"

// Emit gives the value of one series; labels are in the order of the family's. Each
// series is given once. Not for use after the call that it was given to.
type Emit func(f *Family, value float64, labels ...string)

// Part gives the series of one part of the process. It must not block.
type Part func(emit Emit)

// Registry is all that a process shows. Safe for concurrent use.
type Registry struct {
	registry *prometheus.Registry
	log      *slog.Logger

	mu    sync.Mutex
	parts []Part
	asked []*asked
}

// New returns a registry with what Go and the process tell of themselves.
func New(log *slog.Logger) *Registry {
	r := &Registry{registry: prometheus.NewPedanticRegistry(), log: log}
	r.registry.MustRegister( // they are not there yet
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), r,
	)
	return r
}

// Add adds a part.
func (r *Registry) Add(p Part) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.parts = append(r.parts, p)
}

// Describe implements prometheus.Collector.
func (r *Registry) Describe(all chan<- *prometheus.Desc) {
	for _, s := range Sections() {
		for _, f := range s.families {
			if !f.vector {
				all <- f.desc
			}
		}
	}
}

// Collect implements prometheus.Collector.
func (r *Registry) Collect(all chan<- prometheus.Metric) {
	r.mu.Lock()
	parts, questions := r.parts, r.asked
	r.mu.Unlock()
	emit := func(f *Family, value float64, labels ...string) { all <- f.sample(value, labels) }
	for _, p := range parts {
		p(emit)
	}
	var answers sync.WaitGroup
	for _, a := range questions {
		answers.Go(func() { a.collect(emit) })
	}
	answers.Wait()
}

const (
	// most scrapes are answered at once.
	most = 4
	// patience bounds the answer to one, which waits for bound at the most.
	patience = 10 * time.Second
)

// Handler answers scrapes. What fails is left out, and logged.
func (r *Registry) Handler() http.Handler {
	return promhttp.HandlerFor(r.registry, promhttp.HandlerOpts{
		ErrorLog: logged{r.log}, ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: most, Timeout: patience,
	})
}

// logged is a promhttp.Logger.
type logged struct{ log *slog.Logger }

// Println implements promhttp.Logger.
func (l logged) Println(v ...any) { l.log.Warn("metrics are not complete", "err", v) }
