package metrics

import (
	"maps"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Requests count requests of a kind, and how long they took. Safe for concurrent use.
type Requests struct {
	total *prometheus.CounterVec
	took  *prometheus.HistogramVec

	mu    sync.Mutex // held while known is replaced
	known atomic.Pointer[map[request]*series]
}

// request is what is counted together.
type request struct {
	of     string
	status int
}

type series struct {
	total prometheus.Counter
	took  prometheus.Observer
}

// buckets are in seconds.
var buckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10} // never changed

// Requests adds a count of requests: total by what they are of and their status, took
// by what they are of.
func (r *Registry) Requests(total, took *Family) *Requests {
	all := &Requests{
		total: prometheus.NewCounterVec(prometheus.CounterOpts{Name: total.name, Help: total.help}, total.labels),
		took:  prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: took.name, Help: took.help, Buckets: buckets}, took.labels),
	}
	all.known.Store(new(map[request]*series))
	r.registry.MustRegister(all.total, all.took) // a family is counted once in a process
	return all
}

// Count counts a request. It is cheap enough for every call of the API: one lookup in
// a map that is never written to, and two atomic additions.
func (r *Requests) Count(of string, status int, took time.Duration) {
	at := request{of, status}
	s := (*r.known.Load())[at]
	if s == nil {
		s = r.add(at)
	}
	s.total.Inc()
	s.took.Observe(took.Seconds())
}

// add makes the series of a request that was not there before.
func (r *Requests) add(at request) *series {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := maps.Clone(*r.known.Load())
	if all == nil {
		all = make(map[request]*series)
	}
	s := &series{r.total.WithLabelValues(at.of, strconv.Itoa(at.status)), r.took.WithLabelValues(at.of)}
	all[at] = s
	r.known.Store(&all)
	return s
}
