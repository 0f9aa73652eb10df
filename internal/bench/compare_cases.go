package bench

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// floorName is the column of the floor.
const floorName = "floor"

// benchCase is one situation in which servers are compared.
type benchCase struct {
	name    string
	opts    Options
	floor   bool // the floor is measured, too
	extra   bool // runs only when asked for
	nodes   int  // at least so many processes; 0 is one, and not a case of a cluster
	metrics []metric
}

// metric is one figure of a result.
type metric struct {
	title    string
	decimals int
	value    func(*Result) *float64
	relative bool // is also given as a multiple of the floor's
}

// cases returns all cases, in the order of the table.
func cases() []benchCase { return append(singleCases(), clusterCases()...) }

// singleCases returns the cases of one process.
func singleCases() []benchCase {
	idle := []metric{
		{title: "memory per idle client, KiB", decimals: 1, value: memoryPerClient},
		{title: "CPU s per 1,000 connects", decimals: 3, value: func(r *Result) *float64 { return r.Connect.Per1000 }},
	}
	return []benchCase{
		{name: "idle", opts: Options{Mode: Idle, Clients: 10_000}, metrics: prefixed("10,000 clients: ", idle)},
		{name: "idle-19k", opts: Options{Mode: Idle, Clients: 19_000}, extra: true, metrics: prefixed("19,000 clients: ", idle)},
		fanoutCase("fanout-1k", "room of 1,000, 10 messages/s", Options{Mode: Fanout, Clients: 1000, Rate: 10}),
		fanoutCase("fanout-10k", "room of 10,000, 1 message/s", Options{Mode: Fanout, Clients: 10_000, Rate: 1, Duration: 20 * time.Second}),
		fanoutCase("rooms", "2,000 rooms of 5, 2,000 messages/s", Options{Mode: Rooms, Clients: 10_000, Rooms: 2000, Rate: 2000}),
		saturationCase("saturate-1k", "room of 1,000", 1000),
		saturationCase("saturate-10k", "room of 10,000", 10_000),
		echoCase(1),
		echoCase(16),
	}
}

func fanoutCase(name, title string, o Options) benchCase {
	return benchCase{name: name, opts: o, floor: true, metrics: []metric{
		{title: title + ": CPU s per million deliveries", decimals: 2, value: cpuPerMillion, relative: true},
	}}
}

func saturationCase(name, title string, clients int) benchCase {
	return benchCase{
		name: name, opts: Options{Mode: Fanout, Clients: clients, Saturate: true},
		metrics: []metric{
			{title: title + ": most deliveries/s", value: perSecond},
			{title: "… p99 latency there, ms", decimals: 1, value: p99},
			{title: "… CPU s per million deliveries there", decimals: 2, value: cpuPerMillion},
		},
	}
}

func echoCase(inFlight int) benchCase {
	title := fmt.Sprintf("200 clients, %d in flight: ", inFlight)
	return benchCase{
		name: fmt.Sprintf("echo-%d", inFlight), opts: Options{Mode: Echo, InFlight: inFlight},
		metrics: []metric{
			{title: title + "CPU s per 100,000 acks", decimals: 2, value: cpuPer100kAcks},
			{title: "… acks/s", value: perSecond},
			{title: "… p99 latency, ms", decimals: 1, value: p99},
		},
	}
}

// prefixed returns the metrics with a prefix to their titles.
func prefixed(prefix string, ms []metric) []metric {
	out := slices.Clone(ms)
	for i := range out {
		out[i].title = prefix + out[i].title
	}
	return out
}

func memoryPerClient(r *Result) *float64 {
	if r.Memory == nil {
		return nil
	}
	kib := r.Memory.PerClient / 1024
	return &kib
}

func cpuPerMillion(r *Result) *float64 {
	if r.Traffic == nil {
		return nil
	}
	return r.Traffic.PerMillion
}

func cpuPer100kAcks(r *Result) *float64 { return per(cpuPerMillion(r), 1e6, 1e5) }

func perSecond(r *Result) *float64 {
	if r.Traffic == nil {
		return nil
	}
	return &r.Traffic.PerSecond
}

func p99(r *Result) *float64 {
	if r.Traffic == nil {
		return nil
	}
	return &r.Traffic.Latency.P99
}

// brief says in a line what a run gave.
func (k benchCase) brief(r *Result) string {
	var parts []string
	for _, m := range k.metrics {
		if v := m.value(r); v != nil {
			_, unit, _ := strings.Cut(m.title, ": ")
			parts = append(parts, strings.TrimSpace(format(*v, m.decimals)+" "+unit))
		}
	}
	if !r.Check.Clean() {
		parts = append(parts, fmt.Sprintf("lost %d, duplicated %d, out of order %d", r.Check.Lost, r.Check.Duplicated, r.Check.OutOfOrder))
	}
	return strings.Join(parts, "; ")
}

func caseNames() string {
	var names []string
	for _, k := range cases() {
		names = append(names, k.name)
	}
	return strings.Join(names, ", ")
}

// pickCases returns the cases of those names; if none are named, the usual ones
// for so many nodes.
func pickCases(names []string, nodes int) ([]benchCase, error) {
	var picked []benchCase
	for _, k := range cases() {
		usual := !k.extra && (k.nodes > 0) == (nodes > 1)
		if slices.Contains(names, k.name) || (len(names) == 0 && usual) {
			picked = append(picked, k)
		}
	}
	if len(names) > 0 && len(picked) != len(names) {
		return nil, fmt.Errorf("case is %q: want some of %s", names, caseNames())
	}
	return picked, nil
}

// apply returns the options of a case, tuned and scaled.
func (t tuning) apply(o Options, scale float64) Options {
	o = o.withDefaults()
	o.Clients = max(int(float64(o.Clients)*scale), 1)
	o.Workers = 0
	if o.Rooms > 1 || o.Mode == Echo {
		o.Rooms = max(int(float64(o.Rooms)*scale), 1)
		o.Rate *= scale
	}
	if o.Apart { // somebody has to listen in each room
		o.Clients = max(o.Clients, o.Rooms*(o.Publishers+1))
	}
	replace(&o.Duration, t.duration)
	replace(&o.Warmup, t.warmup)
	replace(&o.Step, t.step)
	return o
}

func replace(d *time.Duration, by time.Duration) {
	if by > 0 {
		*d = by
	}
}
