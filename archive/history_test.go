package archive_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/archive"
	"github.com/seed-09a96375/belfry/bus/memory"
)

// ordered is a Store of one room, in memory.
type ordered struct{ store }

func (s *ordered) Page(_ context.Context, q archive.Query) ([]archive.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []archive.Entry
	for _, e := range s.rows {
		p := e.Position()
		if (q.Before.IsZero() || p.Compare(q.Before) < 0) && (q.After.IsZero() || p.Compare(q.After) > 0) {
			all = append(all, e)
		}
	}
	slices.SortFunc(all, func(a, b archive.Entry) int { return a.Position().Compare(b.Position()) })
	if !q.Oldest {
		slices.Reverse(all)
	}
	return all[:min(q.Limit, len(all))], nil
}

type deaf struct{ id belfry.NodeID }

func (d deaf) ID() belfry.NodeID     { return d.id }
func (deaf) Deliver(*belfry.Message) {}
func (deaf) Replied(*belfry.Reply)   {}

// traffic publishes to a room for a minute, and archives each message some time later,
// in no order.
type traffic struct {
	link  belfry.Link
	store *ordered
	lag   time.Duration
	skew  time.Duration // of the clock of one node
	sent  []string

	mu      sync.Mutex
	waiting map[string]time.Time // when each that is not archived yet was published
}

// Lag is what the archive has not written. Now and then nobody knows.
func (f *traffic) Lag(context.Context) (belfry.Lag, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var lag belfry.Lag
	for _, at := range f.waiting {
		lag.Records, lag.Age = lag.Records+1, max(lag.Age, time.Since(at))
	}
	switch rand.IntN(4) { //nolint:gosec // guards nothing
	case 0:
		return belfry.Lag{}, errors.New("the source is away")
	case 1:
		return belfry.Lag{Records: 1}, nil
	}
	return lag, nil
}

func (f *traffic) wait(id string, waits bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if delete(f.waiting, id); waits {
		f.waiting[id] = time.Now()
	}
}

func (f *traffic) run(ctx context.Context, t *testing.T) {
	for n := range 1200 {
		time.Sleep(50 * time.Millisecond)
		id := fmt.Sprintf("m%04d", n)
		m := &belfry.Message{Namespace: "/", Target: belfry.Target{Rooms: []belfry.Room{"lobby"}}, Data: []byte(`["chat","` + id + `"]`)}
		if err := f.link.Publish(ctx, m); err != nil {
			t.Error(err)
			return
		}
		f.sent = append(f.sent, id)
		f.wait(id, true)
		e := archive.Entry{ID: id, Namespace: "/", Room: "lobby", Event: "chat", Args: json.RawMessage(`["` + id + `"]`), Offset: m.Offset, Time: time.Now()}
		if n%3 == 0 {
			e.Time = e.Time.Add(f.skew)
		}
		time.AfterFunc(time.Duration(rand.Int64N(int64(f.lag))), func() { //nolint:gosec // guards nothing
			if err := f.store.Append(ctx, []archive.Entry{e}); err != nil {
				t.Error(err)
			}
			f.wait(id, false)
		})
	}
}

// join reads the whole past of the room, then what the log has after it, and returns
// how often it saw each message.
func join(ctx context.Context, t *testing.T, r *archive.Reader) (seen map[string]int, offset belfry.Offset) {
	seen = make(map[string]int)
	for q, first := (archive.Query{Room: "lobby", Limit: 70}), true; ; first = false {
		page, err := r.Page(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		if first {
			offset = page.Offset
		}
		for _, e := range page.Entries {
			seen[e.ID]++
		}
		if q.Before = page.Next; page.Next.IsZero() {
			return seen, offset
		}
	}
}

func replay(ctx context.Context, t *testing.T, link belfry.Link, after belfry.Offset, seen map[string]int) {
	err := link.(belfry.Log).Replay(ctx, "/", after, func(m *belfry.Message) error {
		var data []string
		err := json.Unmarshal(m.Data, &data)
		seen[data[1]]++
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// faults counts holes and doubles.
func faults(sent []string, seen map[string]int) (holes, doubles int) {
	for _, id := range sent {
		switch n := seen[id]; {
		case n == 0:
			holes++
		case n > 1:
			doubles++
		}
	}
	return holes, doubles
}

// joins has clients read the past and join at many times, while there is traffic. told
// says that the reader knows how late the archive is.
func joins(t *testing.T, delay, lag time.Duration, watched, told bool) (holes, doubles, named int) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		bus := memory.New(memory.Options{Log: &memory.Log{MaxAge: time.Hour}})
		link, err := bus.Attach(ctx, deaf{"node"})
		if err != nil {
			t.Fatal(err)
		}
		f := &traffic{link: link, store: &ordered{}, lag: lag, skew: 20 * time.Second, waiting: make(map[string]time.Time)}
		o := archive.ReaderOptions{Store: f.store, Log: link.(belfry.Log), Delay: delay}
		if told {
			o.Lag = f.Lag
			f.skew = 0 // from one page to the next the end may move far
		}
		r, err := archive.NewReader(o)
		if err != nil {
			t.Fatal(err)
		}
		if watched {
			go r.Run(ctx)
		}
		first, err := link.(belfry.Log).Position(ctx)
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() { defer close(ended); f.run(ctx, t) }()
		type client struct {
			seen   map[string]int
			offset belfry.Offset
		}
		var clients []client
		for range 40 {
			time.Sleep(1400 * time.Millisecond)
			seen, offset := join(ctx, t, r)
			clients = append(clients, client{seen, offset})
		}
		<-ended
		time.Sleep(time.Minute)
		for _, c := range clients {
			if c.offset == "" {
				if watched {
					continue // not for long enough yet
				}
				c.offset = first
			} else {
				named++
			}
			replay(ctx, t, link, c.offset, c.seen)
			h, d := faults(f.sent, c.seen)
			holes, doubles = holes+h, doubles+d
		}
		if err := link.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return holes, doubles, named
}

func TestHistoryJoinsTheLiveStream(t *testing.T) {
	holes, doubles, named := joins(t, 0, 9*time.Second, true, false)
	if holes+doubles > 0 || named < 25 {
		t.Errorf("%d holes, %d doubles, %d pages with an offset", holes, doubles, named)
	}
}

// TestALateArchiveLeavesNoHole: it is later than Delay, but the reader knows how late.
// The control is the first of TestHistoryControl, which has the same delays and does not.
func TestALateArchiveLeavesNoHole(t *testing.T) {
	holes, doubles, named := joins(t, 2*time.Second, 9*time.Second, true, true)
	if holes+doubles > 0 || named < 25 {
		t.Errorf("%d holes, %d doubles, %d pages with an offset", holes, doubles, named)
	}
}

// TestPagesSayHowLateTheArchiveIs, and have no offset if that is not known, or if it is
// later than anybody remembers.
func TestPagesSayHowLateTheArchiveIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		link, err := memory.New(memory.Options{Log: &memory.Log{}}).Attach(ctx, deaf{"node"})
		if err != nil {
			t.Fatal(err)
		}
		var age atomic.Int64 // seconds; -1: nobody knows
		age.Store(-1)
		r, err := archive.NewReader(archive.ReaderOptions{Store: &ordered{}, Log: link.(belfry.Log), Lag: func(context.Context) (belfry.Lag, error) {
			if n := age.Load(); n >= 0 {
				return belfry.Lag{Records: n, Age: time.Duration(n) * time.Second}, nil
			}
			return belfry.Lag{}, errors.New("away")
		}})
		if err != nil {
			t.Fatal(err)
		}
		go r.Run(ctx)
		page := func() *archive.Page {
			p, err := r.Page(ctx, archive.Query{Room: "r"})
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		time.Sleep(30500 * time.Millisecond)
		if p := page(); p.Offset != "" || p.Behind != 0 {
			t.Errorf("nobody knows: %+v", p)
		}
		age.Store(0)
		time.Sleep(time.Second)
		if p := page(); p.Offset == "" || p.Behind != 0 {
			t.Errorf("in time: %+v", p)
		}
		age.Store(20)
		time.Sleep(20 * time.Second)
		if p := page(); p.Offset == "" || p.Behind < 20*time.Second || p.Behind > 22*time.Second {
			t.Errorf("20 s late: %+v", p)
		}
		age.Store(-1)
		time.Sleep(time.Hour)
		if p := page(); p.Offset != "" || p.Behind < time.Hour {
			t.Errorf("an hour: %+v", p)
		}
		if err := link.Close(ctx); err != nil {
			t.Error(err)
		}
	})
}

// TestHistoryControl breaks what the promise needs.
func TestHistoryControl(t *testing.T) {
	if holes, _, _ := joins(t, 2*time.Second, 9*time.Second, true, false); holes == 0 {
		t.Error("an archive that is further behind than Delay makes no holes: nothing is tested")
	}
	if _, doubles, _ := joins(t, 0, 9*time.Second, false, false); doubles == 0 {
		t.Error("to replay from anywhere makes no doubles: nothing is tested")
	}
}

func TestPagesEnd(t *testing.T) {
	s := &ordered{}
	r, err := archive.NewReader(archive.ReaderOptions{Store: s})
	if err != nil {
		t.Fatal(err)
	}
	r.Run(t.Context()) // without a log there is nothing to do
	for n := range 10 {
		if err := s.Append(t.Context(), []archive.Entry{{ID: fmt.Sprint(n), Time: at.Add(time.Duration(n) * time.Second)}}); err != nil {
			t.Fatal(err)
		}
	}
	for limit, want := range map[int]bool{9: true, 10: false, 11: false, archive.MaxLimit: false} {
		p, err := r.Page(t.Context(), archive.Query{Room: "r", Limit: limit, Oldest: true})
		if err != nil || len(p.Entries) != min(limit, 10) || p.Next.IsZero() == want || p.Offset != "" {
			t.Errorf("limit %d: %d entries, next %v, %v", limit, len(p.Entries), p.Next, err)
		}
	}
}

func TestReaderOptions(t *testing.T) {
	for _, o := range []archive.ReaderOptions{{}, {Store: &store{}, Delay: -1}, {Store: &store{}, Interval: -1}} {
		if _, err := archive.NewReader(o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
}
