package fleet

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/socketio"
)

// defaultWatch is how many trucks of a part of the map are watched unless the client
// says otherwise.
const defaultWatch = 50

// watchQuery says what a dashboard watches from now on: some trucks, and those in a
// part of the map.
type watchQuery struct {
	Trucks []string `json:"trucks"`
	Bounds *Bounds  `json:"bounds"`
	Limit  int      `json:"limit"`  // of those in the part of the map; 0: defaultWatch
	Fleets []string `json:"fleets"` // of these; empty: all that the visitor sees
}

// watched is the answer: the last readings of what is watched, from after the moment
// at which updates began to come.
type watched struct {
	Trucks []Reading `json:"trucks"`
	InView int       `json:"inView"` // trucks in the part of the map that the visitor may see
	Known  int       `json:"known"`  // anywhere
}

func (f *Fleet) watch(ctx context.Context, s *socketio.Socket, q watchQuery) (watched, error) {
	who, err := visitorOf(s)
	if err != nil {
		return watched{}, err
	}
	if len(q.Trucks)+max(q.Limit, 0) > f.opts.MaxWatch {
		return watched{}, refusal(fmt.Sprintf("a dashboard watches %d trucks at most", f.opts.MaxWatch))
	}
	for _, t := range q.Trucks {
		if !truckID.MatchString(t) || !who.sees(fleetOf(t)) {
			return watched{}, refusal(fmt.Sprintf("%.80q is not a truck that you may see", t))
		}
	}
	view, err := f.choose(ctx, who, q)
	if err != nil {
		f.opts.Logger.Warn("trucks could not be read", "err", err)
		return watched{}, errAway
	}
	if err := follow(s, view.trucks); err != nil {
		f.opts.Logger.Warn("trucks could not be watched", "err", err)
		return watched{}, errAway
	}
	latest, err := f.opts.State.Latest(ctx, view.trucks)
	if err != nil {
		f.opts.Logger.Warn("trucks could not be read", "err", err)
		return watched{}, errAway
	}
	return watched{Trucks: append([]Reading{}, latest...), InView: view.inView, Known: view.known}, nil
}

// view is what a query selects.
type view struct {
	trucks        []string
	inView, known int
}

// choose adds trucks in the part of the map to those that are named. Which ones does
// not change from one query to the next as long as they are there.
func (f *Fleet) choose(ctx context.Context, who visitor, q watchQuery) (view, error) {
	v := view{trucks: slices.Compact(slices.Sorted(slices.Values(q.Trucks)))}
	if q.Bounds == nil {
		return v, nil
	}
	all, err := f.places.now(ctx)
	if err != nil {
		return v, err
	}
	limit := min(cmp.Or(max(q.Limit, 0), defaultWatch), f.opts.MaxWatch-len(v.trucks))
	named := make(map[string]bool, len(v.trucks))
	for _, t := range v.trucks {
		named[t] = true
	}
	for _, p := range all {
		if !who.sees(p.fleet) || len(q.Fleets) > 0 && !slices.Contains(q.Fleets, p.fleet) {
			continue
		}
		v.known++
		if !q.Bounds.has(p.Reading) {
			continue
		}
		v.inView++
		if limit > 0 && !named[p.Truck] {
			v.trucks = append(v.trucks, p.Truck)
			limit--
		}
	}
	return v, nil
}

// follow makes trucks the ones that s watches.
func follow(s *socketio.Socket, trucks []string) error {
	wanted := make(map[belfry.Room]bool, len(trucks))
	for _, t := range trucks {
		wanted[truckRoom(t)] = true
	}
	for _, room := range s.Rooms() {
		switch {
		case !strings.HasPrefix(string(room), truckPrefix):
		case wanted[room]:
			delete(wanted, room)
		default:
			s.Leave(room)
		}
	}
	for room := range wanted {
		if err := s.Join(room); err != nil {
			return err
		}
	}
	return nil
}

// placesAge is how old the positions may be by which trucks are chosen. What a client
// is told of them is never that old.
const placesAge = 2 * time.Second

// place is where a truck was.
type place struct {
	Reading
	fleet string
	order uint32
}

// places are the positions of all trucks, shared by the dashboards of a node, in an
// order that has nothing to do with where they are.
type places struct {
	state  State
	forget time.Duration

	mu  sync.Mutex
	at  time.Time
	all []place
}

// now returns all places. The slice is not changed afterwards.
func (p *places) now(ctx context.Context) ([]place, error) {
	p.mu.Lock() // also for those who would ask the same meanwhile
	defer p.mu.Unlock()
	if p.all != nil && time.Since(p.at) < placesAge {
		return p.all, nil
	}
	began := time.Now()
	readings, err := p.state.All(ctx, began.Add(-p.forget))
	if err != nil {
		return nil, err
	}
	all := make([]place, 0, len(readings))
	for _, r := range readings {
		h := fnv.New32a()
		_, _ = h.Write([]byte(r.Truck)) // never fails
		all = append(all, place{r, fleetOf(r.Truck), h.Sum32()})
	}
	slices.SortFunc(all, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.order, b.order), strings.Compare(a.Truck, b.Truck))
	})
	p.all, p.at = all, began
	return all, nil
}
