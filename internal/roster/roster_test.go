package roster_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/seed-09a96375/belfry/internal/roster"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestReserve(t *testing.T) {
	var r roster.Roster[int]
	for i := range 3 {
		if r.Reserve(2) != (i < 2) {
			t.Fatalf("the bound of 2 does not hold for number %d", i)
		}
	}
	r.GiveBack()
	if !r.Add(1) || r.Len() != 1 || !r.Reserve(2) {
		t.Fatal("a place that was given back is not free")
	}
	r.GiveBack()
	if !r.Reserve(0) {
		t.Error("0 is a bound")
	}
}

func TestCloseWaits(t *testing.T) {
	var r roster.Roster[int]
	r.Reserve(0)
	r.Reserve(0)
	r.Add(1)
	if all := r.Close(); len(all) != 1 || r.Reserve(0) {
		t.Fatalf("closed with %v", all)
	}
	if r.Add(2) {
		t.Error("who comes late is not told")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("two are there, and Wait says %v", err)
	}
	r.Remove(1)
	r.Remove(2)
	if err := r.Wait(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r roster.Roster[int]
		for i := range 4 {
			r.Reserve(0)
			r.Add(i)
		}
		var at []time.Duration
		begun := time.Now()
		if err := r.Drain(t.Context(), 4*time.Second, func(int) { at = append(at, time.Since(begun)) }); err != nil {
			t.Fatal(err)
		}
		for i, d := range at {
			if d != time.Duration(i)*time.Second {
				t.Errorf("client %d was told after %v", i, d)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := r.Drain(ctx, time.Hour, func(int) {}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a drain that was given up: %v", err)
		}
	})
}
