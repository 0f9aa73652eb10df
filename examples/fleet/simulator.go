package fleet

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"time"
)

// Depots are where simulated trucks come from: their fleets, by id.
var depots = [...]string{"NORTH", "EAST", "SOUTH", "WEST"}

// Depots returns the fleets of simulated trucks.
func Depots() []string { return append([]string(nil), depots[:]...) }

// SimulatorOptions configures a Simulator. The zero value is ready for use.
type SimulatorOptions struct {
	Trucks int // default 100
	// Interval is that of the readings of one truck; the trucks are spread over it.
	// Default 1 s, at least 50 ms.
	Interval time.Duration
	// Incidents is how many things go wrong in a minute, all trucks together. Default
	// 10; negative: none.
	Incidents float64
	// Center is about where the trucks drive. Default Cluj.
	Center Location
	// Seed makes the same trucks again. 0: any.
	Seed uint64
}

func (o SimulatorOptions) withDefaults() SimulatorOptions {
	if o.Trucks == 0 {
		o.Trucks = 100
	}
	if o.Interval == 0 {
		o.Interval = time.Second
	}
	if o.Incidents == 0 {
		o.Incidents = 10
	}
	if o.Center == (Location{}) {
		o.Center = Location{Lat: 46.77, Lng: 23.6}
	}
	if o.Seed == 0 {
		o.Seed = rand.Uint64()
	}
	return o
}

// MaxTrucks is the most trucks that a Simulator drives.
const MaxTrucks = 1_000_000

// Validate names the option that cannot work.
func (o SimulatorOptions) Validate() error {
	switch {
	case o.Trucks < 0 || o.Trucks > MaxTrucks:
		return fmt.Errorf("fleet: SimulatorOptions.Trucks is %d: must be between 1 and %d, or 0 for the default", o.Trucks, MaxTrucks)
	case o.Interval != 0 && o.Interval < 50*time.Millisecond:
		return fmt.Errorf("fleet: SimulatorOptions.Interval is %v: must be 50ms or more", o.Interval)
	}
	return nil
}

// Simulator drives trucks over the map.
type Simulator struct {
	opts   SimulatorOptions
	random *rand.Rand
	trucks []truck
}

type truck struct {
	Reading
	heading float64 // radians
	speed   float64 // degrees per second
	warm    int     // readings for which the goods stay too warm
}

// NewSimulator puts the trucks on the map.
func NewSimulator(o SimulatorOptions) (*Simulator, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	s := &Simulator{opts: o, random: rand.New(rand.NewPCG(o.Seed, 1)), trucks: make([]truck, o.Trucks)}
	for i := range s.trucks {
		t := &s.trucks[i]
		// More of them towards the middle.
		far, way := 0.35*s.random.Float64()*s.random.Float64(), 2*math.Pi*s.random.Float64()
		t.Truck = fmt.Sprintf("%s-%04d", depots[i%len(depots)], i/len(depots)+1)
		t.Latitude, t.Longitude = o.Center.Lat+far*math.Sin(way), o.Center.Lng+1.4*far*math.Cos(way)
		t.Temperature, t.Vibration = 4+2*s.random.Float64(), s.random.Float64()
		t.heading, t.speed = 2*math.Pi*s.random.Float64(), (0.5+s.random.Float64())*1.5e-4
	}
	return s, nil
}

// ticks is how many parts an interval has.
const ticks = 20

// Run gives readings to report until ctx ends, those of one moment together. While
// report takes longer than the interval the trucks say less. What report cannot take
// is lost, and logged: the next reading is a better one.
func (s *Simulator) Run(ctx context.Context, report func(context.Context, []Reading) error, log *slog.Logger) {
	clock := time.NewTicker(s.opts.Interval / ticks)
	defer clock.Stop()
	for n := 0; ; n = (n + 1) % ticks {
		select {
		case <-ctx.Done():
			return
		case now := <-clock.C:
			batch := s.step(n, now.UTC().Truncate(time.Millisecond))
			if err := report(ctx, batch); err != nil && ctx.Err() == nil {
				log.Warn("readings are lost", "readings", len(batch), "err", err)
			}
		}
	}
}

// step moves the nth part of the trucks.
func (s *Simulator) step(n int, now time.Time) []Reading {
	batch := make([]Reading, 0, len(s.trucks)/ticks+1)
	for i := n; i < len(s.trucks); i += ticks {
		t := &s.trucks[i]
		s.drive(t)
		t.Time = now
		batch = append(batch, t.Reading)
	}
	if len(batch) > 0 && s.random.Float64() < s.opts.Incidents*s.opts.Interval.Minutes()/ticks {
		i := s.random.IntN(len(batch))
		s.incident(&s.trucks[n+ticks*i], &batch[i])
	}
	return batch
}

// drive moves a truck by one interval.
func (s *Simulator) drive(t *truck) {
	t.heading += 0.3 * (s.random.Float64() - 0.5)
	dLat, dLng := t.Latitude-s.opts.Center.Lat, t.Longitude-s.opts.Center.Lng
	if math.Hypot(dLat, dLng/1.4) > 0.35 { // back towards the middle
		t.heading = math.Atan2(-dLat, -dLng)
	}
	way := t.speed * s.opts.Interval.Seconds()
	t.Latitude = rounded(t.Latitude+way*math.Sin(t.heading), 1e5)
	t.Longitude = rounded(t.Longitude+1.4*way*math.Cos(t.heading), 1e5)
	t.Vibration = rounded(1.5*s.random.Float64(), 100)
	if t.warm > 0 {
		t.warm--
		t.Temperature = rounded(9+2*s.random.Float64(), 10)
		return
	}
	t.Temperature = rounded(min(7.5, max(2.5, min(t.Temperature, 7.5)+0.2*(s.random.Float64()-0.5))), 100)
}

func rounded(v, parts float64) float64 { return math.Round(v*parts) / parts }

// incident makes something go wrong with a truck: half of the time a shock, in its
// reading, else a cooling that fails for a while.
func (s *Simulator) incident(t *truck, r *Reading) {
	if s.random.IntN(2) == 0 {
		r.Vibration = rounded(5+6*s.random.Float64(), 10)
		return
	}
	t.warm = 5 + s.random.IntN(20)
}
