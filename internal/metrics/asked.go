package metrics

import (
	"context"
	"sync"
	"time"
)

const (
	// bound is how long a question may take: less than any scrape waits.
	bound = 2 * time.Second
	// remembered is how long its answer is given again: scrapes of several
	// Prometheus, or of people, ask no more often than this.
	remembered = 5 * time.Second
)

// Question gives series that have to be asked for elsewhere. It ends with ctx. What it
// gives counts also if it returns an error then.
type Question func(ctx context.Context, emit Emit) error

// asked is a question, and its last answer.
type asked struct {
	r        *Registry
	part     string
	question Question

	mu       sync.Mutex
	at       time.Time // of the answer
	answer   []given
	failures float64
}

// given is one series of an answer.
type given struct {
	family *Family
	value  float64
	labels []string
}

// Ask adds a question. Its answer is remembered for some seconds. part names it in
// belfry_metrics_failures_total.
func (r *Registry) Ask(part string, q Question) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, &asked{r: r, part: part, question: q})
}

// collect gives the answer, a new one if it is time.
func (a *asked) collect(emit Emit) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.at.IsZero() || time.Since(a.at) >= remembered {
		a.renew()
	}
	for _, g := range a.answer {
		emit(g.family, g.value, g.labels...)
	}
	emit(Failures, a.failures, a.part)
}

func (a *asked) renew() {
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	a.answer = nil
	err := a.question(ctx, func(f *Family, value float64, labels ...string) {
		a.answer = append(a.answer, given{f, value, labels})
	})
	a.at = time.Now()
	if err != nil {
		a.failures++
		a.r.log.Debug("metrics cannot be asked for", "part", a.part, "err", err)
	}
}
