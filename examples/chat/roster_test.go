package chat

import (
	"slices"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
)

func TestRoster(t *testing.T) {
	const grace = 5 * time.Second
	start := time.Unix(1_000_000, 0)
	type step struct {
		after  time.Duration // since the start
		left   []belfry.SocketID
		there  []Person
		want   string        // the names, one letter each
		expiry time.Duration // since the start; 0: none
	}
	a, b, c := Person{ID: "1", Name: "a"}, Person{ID: "2", Name: "b"}, Person{ID: "3", Name: "c"}
	for name, steps := range map[string][]step{
		"nobody":         {{want: ""}},
		"sorted by name": {{there: []Person{c, a, b}, want: "abc"}},
		"missing for the grace": {
			{there: []Person{a, b}, want: "ab"},
			{after: 1 * time.Second, there: []Person{b}, want: "ab", expiry: 6 * time.Second},
			{after: 5 * time.Second, there: []Person{b}, want: "ab", expiry: 6 * time.Second},
			{after: 6 * time.Second, there: []Person{b}, want: "b"},
		},
		"back in time": {
			{there: []Person{a, b}, want: "ab"},
			{after: 1 * time.Second, there: []Person{b}, want: "ab", expiry: 6 * time.Second},
			{after: 3 * time.Second, there: []Person{a, b}, want: "ab"},
			{after: 7 * time.Second, there: []Person{b}, want: "ab", expiry: 12 * time.Second},
		},
		"left on purpose": {
			{there: []Person{a, b}, want: "ab"},
			{after: 1 * time.Second, left: []belfry.SocketID{a.ID, "unknown"}, there: []Person{b}, want: "b"},
		},
		"left while missing": {
			{there: []Person{a, b}, want: "ab"},
			{after: 1 * time.Second, there: []Person{b}, want: "ab", expiry: 6 * time.Second},
			{after: 2 * time.Second, left: []belfry.SocketID{a.ID}, there: []Person{b}, want: "b"},
		},
		"the next to expire": {
			{there: []Person{a, b, c}, want: "abc"},
			{after: 1 * time.Second, there: []Person{a, c}, want: "abc", expiry: 6 * time.Second},
			{after: 2 * time.Second, there: []Person{c}, want: "abc", expiry: 6 * time.Second},
			{after: 6 * time.Second, there: []Person{c}, want: "ac", expiry: 7 * time.Second},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := roster{grace: grace}
			for i, s := range steps {
				r.forget(s.left)
				list, next := r.update(s.there, start.Add(s.after))
				var got string
				for _, p := range list {
					got += p.Name
				}
				var want time.Time
				if s.expiry != 0 {
					want = start.Add(s.expiry)
				}
				if got != s.want || !next.Equal(want) {
					t.Errorf("step %d: %q, next at %v; want %q, next at %v", i, got, next, s.want, want)
				}
			}
		})
	}
}

func TestRosterTakesTheNewNode(t *testing.T) {
	r := roster{grace: time.Second}
	now := time.Unix(1_000_000, 0)
	old, moved := Person{ID: "1", Name: "a", Node: "x"}, Person{ID: "1", Name: "a", Node: "y"}
	r.update([]Person{old}, now)
	r.update(nil, now)
	if list, _ := r.update([]Person{moved}, now); !slices.Equal(list, []Person{moved}) {
		t.Errorf("list is %v, want %v", list, moved)
	}
}
