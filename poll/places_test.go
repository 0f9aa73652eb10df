package poll_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seed-09a96375/belfry/poll"
)

func TestPlacesAreTakenOnce(t *testing.T) {
	const most = 100
	p := poll.NewPlaces(most)
	var got atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range most {
				if p.Take() {
					got.Add(1)
				}
			}
		})
	}
	all.Wait()
	if got.Load() != most {
		t.Errorf("%d took one of %d places", got.Load(), most)
	}
	p.GiveBack()
	if !p.Take() || p.Take() {
		t.Error("one place was given back: one is to be had")
	}
}

func TestPlacesWithoutABound(t *testing.T) {
	for _, p := range []*poll.Places{nil, poll.NewPlaces(0)} {
		for range 3 {
			if !p.Take() {
				t.Fatal("there is a bound")
			}
		}
		p.GiveBack()
	}
}
