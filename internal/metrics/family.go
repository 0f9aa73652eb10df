package metrics

import "github.com/prometheus/client_golang/prometheus"

// kind is what Prometheus calls the type of a metric.
type kind uint8

const (
	gauge     kind = iota // a value of now
	counter               // a count since the process began
	histogram             // a count of times, by how long they took
)

func (k kind) String() string { return [...]string{"gauge", "counter", "histogram"}[k] }

// Family is one metric: all series that have its name. Never changed.
type Family struct {
	name   string
	kind   kind
	labels []string
	help   string // a sentence
	act    string // when to alarm, and what to do then; empty: for looking
	vector bool   // its series are kept here, not read when they are asked for
	desc   *prometheus.Desc
}

func newFamily(k kind, name, help, act string, labels []string) *Family {
	return &Family{
		name: "belfry_" + name, kind: k, labels: labels, help: help, act: act,
		desc: prometheus.NewDesc("belfry_"+name, help, labels, nil),
	}
}

func newGauge(name, help, act string, labels ...string) *Family {
	return newFamily(gauge, name, help, act, labels)
}

func newCounter(name, help, act string, labels ...string) *Family {
	return newFamily(counter, name, help, act, labels)
}

// newVector makes a family of Requests.
func newVector(k kind, name, help, act string, labels ...string) *Family {
	f := newFamily(k, name, help, act, labels)
	f.vector = true
	return f
}

// sample is the value of one series.
func (f *Family) sample(value float64, labels []string) prometheus.Metric {
	t := prometheus.GaugeValue
	if f.kind == counter {
		t = prometheus.CounterValue
	}
	m, err := prometheus.NewConstMetric(f.desc, t, value, labels...)
	if err != nil {
		return prometheus.NewInvalidMetric(f.desc, err)
	}
	return m
}

// Section is what belongs together.
type Section struct {
	title, about string
	families     []*Family
}
