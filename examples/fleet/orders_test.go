package fleet_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/examples/fleet"
)

// order is an event of one, some seconds after began.
func order(id, event, user string, second int) fleet.Order {
	return fleet.Order{
		ID: id, Event: event, Product: "Insulin", Quantity: 2, User: user, Time: began.Add(time.Duration(second) * time.Second),
	}
}

func (n *node) takeOrders(orders ...fleet.Order) {
	n.t.Helper()
	for _, o := range orders {
		must(n.t, n.TakeOrder(n.t.Context(), o))
	}
}

// life is what becomes of an order, and the ids of what is told of it.
func life(id, user string) (events []fleet.Order, ids []string) {
	for i, event := range []string{fleet.OrderCreated, fleet.OrderShipped, fleet.OrderDelivered} {
		events = append(events, order(id, event, user, i))
		ids = append(ids, id+":"+event)
	}
	return events, ids
}

// TestOrdersOnce is weakness 4: each replica had a queue of its own and told all, so
// that a client heard of an order as often as there were replicas.
func TestOrdersOnce(t *testing.T) { everywhere(t, ordersOnce) }

func ordersOnce(t *testing.T, with shared) {
	nodes := cluster(t, 3, with)
	manager, north := nodes[0].open("manager"), nodes[1].open("north")
	events, want := life("17", "north")
	for i, o := range events { // every node gets each, twice
		for k := range 2 * len(nodes) {
			nodes[(i+k)%len(nodes)].takeOrders(o)
		}
	}
	nodes[0].takeOrders(order("last", fleet.OrderCreated, "north", 9))
	want = append(want, "last:"+fleet.OrderCreated)
	for name, d := range map[string]*dashboard{"manager": manager, "north": north} {
		for len(d.heard()) < len(want) {
			d.waitOrder()
		}
		d.Ask("orders", map[string]any{}) // what was on its way has come
		if got := d.heard(); !slices.Equal(inOrder(got, "17:"), want[:3]) || len(got) != len(want) {
			t.Errorf("%s hears %v, want each of %v once, an order's in order", name, got, want)
		}
		if got := d.count("order_update"); got != len(want) {
			t.Errorf("%s hears %d updates, want %d", name, got, len(want))
		}
		if got := d.orders(); len(got) != len(want) || got[0] != want[3] || got[3] != want[0] {
			t.Errorf("%s reads %v, want the newest of %v first", name, got, want)
		}
	}
}

// inOrder are those with a prefix.
func inOrder(ids []string, prefix string) (some []string) {
	for _, id := range ids {
		if strings.HasPrefix(id, prefix) {
			some = append(some, id)
		}
	}
	return some
}

func (d *dashboard) count(event string) (n int) {
	for _, e := range d.Heard {
		if e.Name == event {
			n++
		}
	}
	return n
}

// TestOrdersOfOthers is weakness 9: everybody got the orders of everybody.
func TestOrdersOfOthers(t *testing.T) { everywhere(t, ordersOfOthers) }

func ordersOfOthers(t *testing.T, with shared) {
	nodes := cluster(t, 2, with)
	manager, north := nodes[0].open("manager"), nodes[1].open("north")
	nodes[0].takeOrders(
		order("1", fleet.OrderCreated, "south", 0), order("2", fleet.OrderCreated, "", 1), order("3", fleet.OrderCreated, "manager", 2),
		order("4", fleet.OrderCreated, "north", 3),
	)
	for range 4 {
		manager.waitOrder()
	}
	if n := north.waitOrder(); n.Body.ID != "4" || n.Type != "ORDER" || n.Title != "order.created" || n.Body.User != "north" {
		t.Errorf("a pharmacist hears %+v", n)
	}
	if got := north.orders(); !slices.Equal(got, []string{"4:order.created"}) || len(north.heard()) != 1 {
		t.Errorf("a pharmacist reads %v, hears %v", got, north.heard())
	}
	if got := manager.orders(); len(got) != 4 || len(manager.heard()) != 4 {
		t.Errorf("a manager reads %v, hears %v", got, manager.heard())
	}
}

// TestOrderWhileStoreIsAway: told at once, kept later, and nothing twice in the store.
func TestOrderWhileStoreIsAway(t *testing.T) {
	store := &fragile{Store: openStore(t)}
	store.away.Store(true)
	n := cluster(t, 1, shared{store: store})[0]
	there := n.open("manager")
	n.takeOrders(order("1", fleet.OrderCreated, "north", 0))
	there.waitOrder()
	store.away.Store(false)
	if again := there.waitOrder(); again.ID != "1:order.created" {
		t.Errorf("told is %+v", again)
	}
	if got := there.orders(); !slices.Equal(got, []string{"1:order.created"}) {
		t.Errorf("kept are %v", got)
	}
}

func TestDecodeOrder(t *testing.T) {
	at := time.Date(2026, 1, 14, 9, 30, 0, 0, time.UTC)
	want := fleet.Order{ID: "17", Event: "order.shipped", User: "ada", Truck: "NORTH-0001", Quantity: 3, Time: at}
	for _, r := range []belfry.Record{
		{Value: []byte(`{"orderId":"17","event":"order.shipped","user":"ada","truckId":"NORTH-0001","quantity":3,"timestamp":"2026-01-14T09:30:00Z"}`)},
		{Value: []byte(`{"id":17,"event":"ORDER_SHIPPED","user":"ada","truckId":"NORTH-0001","quantity":"3","status":"SHIPPED"}`), Time: at},
		{Value: []byte(`{"id":17,"user":"ada","truckId":"NORTH-0001","quantity":3}`), Time: at, Meta: map[string]string{"event": "order.shipped"}},
	} {
		if got, err := fleet.DecodeOrder(&r); err != nil || got != want {
			t.Errorf("%s is %+v %v", r.Value, got, err)
		}
	}
	for text, why := range map[string]string{
		`{`:                                 "no JSON object",
		`{"id":1,"event":"order.lost"}`:     `event is "order.lost"`,
		`{"event":"order.created"}`:         `orderId is ""`,
		`{"id":{},"event":"order.created"}`: "no JSON object",
		`{"id":1,"event":"order.created","quantity":1.5}`:         "whole number",
		`{"id":1,"event":"order.created","quantity":-1}`:          "not be negative",
		`{"id":1,"event":"order.created","truckId":"a b"}`:        "truckId is",
		`{"id":1,"event":"order.created","product":"\u0000"}`:     "product is",
		`{"id":1,"event":"order.created","user":"\n"}`:            "user is",
		`{"id":1,"event":"order.created","timestamp":"tomorrow"}`: "timestamp",
		`{"id":1,"event":"order.created","timestamp":1000}`:       "clock",
	} {
		if _, err := fleet.DecodeOrder(&belfry.Record{Value: []byte(text), Time: at}); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: error is %v, want %q in it", text, err, why)
		}
	}
}

// TestBadOrders is weakness 12: one bad record came again for ever.
func TestBadOrders(t *testing.T) {
	n := cluster(t, 1, shared{})[0]
	d := n.open("manager")
	good := belfry.Record{Value: []byte(`{"id":1,"event":"order.created"}`), Time: began}
	err := n.OrderRecords(t.Context(), []*belfry.Record{{Value: []byte("x")}, &good, {Value: []byte("{}")}})
	var poison *belfry.PoisonBatchError
	if !errors.As(err, &poison) || len(poison.Reasons) != 2 || poison.Reasons[1] != nil {
		t.Fatalf("the error is %v, want that records 0 and 2 are bad", err)
	}
	if o := d.waitOrder(); o.Body.ID != "1" {
		t.Errorf("told is %+v", o)
	}
}

// TestCustomers has each order go its way.
func TestCustomers(t *testing.T) {
	events, left := make(map[string][]string), 60
	users := []fleet.User{{Name: "boss"}, {Name: "north", Fleets: []string{"NORTH"}}}
	c := fleet.NewCustomers(fleet.CustomersOptions{Users: users, Trucks: 8, Interval: time.Millisecond})
	ctx, stop := context.WithCancel(t.Context())
	c.Run(ctx, func(_ context.Context, o fleet.Order) error {
		if err := o.Validate(); err != nil || o.User != "north" || o.Event == fleet.OrderShipped && !strings.HasPrefix(o.Truck, "NORTH-000") {
			t.Errorf("%+v: %v", o, err)
		}
		events[o.ID] = append(events[o.ID], strings.TrimPrefix(o.Event, "order."))
		if left--; left == 0 {
			stop()
		}
		return nil
	}, slog.New(slog.DiscardHandler))
	for id, all := range events {
		if !strings.HasPrefix("created shipped delivered", strings.Join(all, " ")) && fmt.Sprint(all) != "[created cancelled]" {
			t.Errorf("order %s: %v", id, all)
		}
	}
}

func FuzzDecodeOrder(f *testing.F) {
	for _, seed := range []string{
		`{"orderId":"17","event":"order.shipped","user":"ada","truckId":"NORTH-0001","quantity":3,"timestamp":"2026-01-14T09:30:00Z"}`,
		`{"id":17,"event":"ORDER_CREATED","quantity":"3","timestamp":1700000000000}`, `{}`, `[]`, `null`, `{"id":null}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		o, err := fleet.DecodeOrder(&belfry.Record{Value: text, Time: began})
		if err != nil {
			return
		}
		again, err := json.Marshal(o)
		if err != nil {
			t.Fatalf("%+v cannot be encoded: %v", o, err)
		}
		if got, err := fleet.DecodeOrder(&belfry.Record{Value: again}); err != nil || got != o {
			t.Errorf("%s is %+v %v after %+v", again, got, err, o)
		}
	})
}
