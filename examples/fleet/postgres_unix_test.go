//go:build unix

package fleet_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/archive"
	"github.com/seed-09a96375/belfry/archive/postgres"
	"github.com/seed-09a96375/belfry/examples/fleet"
	"github.com/seed-09a96375/belfry/internal/postgrestest"
)

// database is a store on a PostgreSQL of its own.
func database(t *testing.T) (*postgrestest.Server, *postgres.Store) {
	t.Helper()
	server := postgrestest.Start(t)
	store, err := postgres.Open(t.Context(), postgres.Options{
		URL: server.URL(), Table: "notifications", Timeout: 2 * time.Second, Logger: slog.New(slog.DiscardHandler),
	})
	must(t, err)
	t.Cleanup(store.Close)
	return server, store
}

// TestPostgres keeps alerts and orders in the real database, on each bus.
func TestPostgres(t *testing.T) { everywhere(t, inPostgres) }

func inPostgres(t *testing.T, with shared) {
	_, with.store = database(t)
	nodes := cluster(t, 2, with)
	d := nodes[0].open("manager")
	for s := range 12 {
		nodes[s%2].take(warm(fmt.Sprintf("NORTH-%04d", s), s))
		nodes[s%2].takeOrders(order(fmt.Sprint(s), fleet.OrderCreated, "north", s))
	}
	for range 24 {
		d.Next("notification")
	}
	north := nodes[1].open("north")
	if alerts, orders := d.allAlerts(), north.orders(); len(alerts) != 12 || alerts[0] != id(warm("NORTH-0011", 11)) || len(orders) != 12 || orders[0] != "11:order.created" {
		t.Errorf("kept are %v and %v, want 12 each, the newest first", alerts, orders)
	}
}

// account counts alerts by id: what was told live, and the rows.
type account struct{ told, rows map[string]int }

// faults names what is lost or doubled. Live, an alert may be told once more: when it
// is kept.
func (a account) faults(want []string) (faults []string) {
	for _, id := range want {
		if n := a.told[id]; n < 1 || n > 2 {
			faults = append(faults, fmt.Sprintf("%s is told %d times", id, n))
		}
		for _, row := range []string{id, id + "#fleet:alerts:NORTH"} {
			if n := a.rows[row]; n != 1 {
				faults = append(faults, fmt.Sprintf("%s has %d rows", row, n))
			}
		}
	}
	if len(a.told) != len(want) || len(a.rows) != 2*len(want) {
		faults = append(faults, fmt.Sprintf("%d alerts are told, %d rows are there; want %d and %d", len(a.told), len(a.rows), len(want), 2*len(want)))
	}
	return faults
}

// rows counts those of the store by id, as it pages them.
func rows(t *testing.T, store archive.Store) map[string]int {
	t.Helper()
	found := make(map[string]int)
	for _, room := range []belfry.Room{"fleet:alerts", "fleet:alerts:NORTH"} {
		q := archive.Query{Namespace: "/", Limit: 1000}
		q.Room = room
		entries, err := store.Page(t.Context(), q)
		must(t, err)
		for _, e := range entries {
			found[e.ID]++
		}
	}
	return found
}

// TestDatabaseAway kills the real database while alerts are raised, twice: they are told
// at once, and each is a row in the end.
func TestDatabaseAway(t *testing.T) {
	with := onRedis(t)
	server, store := database(t)
	with.store = store
	a, want := withoutDatabase(t, with, server, store)
	for _, fault := range a.faults(want) {
		t.Error(fault)
	}
}

// forgetful says that it has kept what it has not.
type forgetful struct{ archive.Store }

func (s forgetful) Append(ctx context.Context, entries []archive.Entry) error {
	if entries[0].Time.Second()%5 == 0 {
		return nil
	}
	return s.Store.Append(ctx, entries)
}

// TestForgetfulStoreIsFound is the control of TestDatabaseAway.
func TestForgetfulStoreIsFound(t *testing.T) {
	with := onRedis(t)
	server, store := database(t)
	with.store = forgetful{store}
	a, want := withoutDatabase(t, with, server, store)
	if len(a.faults(want)) == 0 {
		t.Error("a store that forgets is not found")
	}
	a.rows, a.told = map[string]int{}, map[string]int{}
	for _, id := range want {
		a.told[id], a.rows[id], a.rows[id+"#fleet:alerts:NORTH"] = 1, 2, 1
	}
	if len(a.faults(want)) == 0 {
		t.Error("a double row is not found")
	}
}

func withoutDatabase(t *testing.T, with shared, server *postgrestest.Server, store archive.Store) (account, []string) {
	t.Helper()
	nodes := cluster(t, 2, with)
	manager := nodes[0].open("manager")
	var want []string
	n := 0
	alarm := func(many int) (ids []string) {
		for range many {
			r := shock(fmt.Sprintf("NORTH-%04d", n), n)
			nodes[n%2].take(r)
			ids, n = append(ids, id(r)), n+1
		}
		want = append(want, ids...)
		return ids
	}
	manager.tally(alarm(10))
	for range 2 {
		server.Kill()
		manager.tally(alarm(20)) // while there is no database
		server.Run(t)
		manager.tally(alarm(10))
	}
	slices.Sort(want)
	late := nodes[1].open("manager")
	await(t, "all alerts are kept", func() bool {
		if _, forgets := with.store.(forgetful); forgets {
			return len(late.allAlerts()) > len(want)/2
		}
		return len(late.allAlerts()) >= len(want)
	})
	manager.allAlerts() // what was on its way has come
	a := account{told: make(map[string]int), rows: rows(t, store)}
	for _, id := range manager.heard() {
		a.told[id]++
	}
	return a, want
}
