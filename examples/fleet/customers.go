package fleet

import (
	"context"
	crand "crypto/rand"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"
)

// Customers order goods, which are shipped and delivered: order events for a demo.
type Customers struct {
	opts CustomersOptions
	open []Order // what was heard of each last; the one whose turn it is first
}

// CustomersOptions configures Customers.
type CustomersOptions struct {
	// Users order; those who have no fleets do not.
	Users []User
	// Trucks is how many a Simulator drives: one of them has the goods. 0: none does.
	Trucks int
	// Interval is the time between two events. Default 5 s.
	Interval time.Duration
}

// NewCustomers has nothing ordered yet.
func NewCustomers(o CustomersOptions) *Customers {
	if o.Interval <= 0 {
		o.Interval = 5 * time.Second
	}
	var buyers []User
	for _, u := range o.Users {
		if len(u.Fleets) > 0 {
			buyers = append(buyers, u)
		}
	}
	o.Users = buyers
	return &Customers{opts: o}
}

// Run gives order events to report until ctx ends. What report cannot take is lost, and
// logged.
func (c *Customers) Run(ctx context.Context, report func(context.Context, Order) error, log *slog.Logger) {
	if len(c.opts.Users) == 0 {
		return
	}
	clock := time.NewTicker(c.opts.Interval)
	defer clock.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-clock.C:
			o := c.step(now.UTC().Truncate(time.Millisecond))
			if err := report(ctx, o); err != nil && ctx.Err() == nil {
				log.Warn("an order event is lost", "order", o.ID, "event", o.Event, "err", err)
			}
		}
	}
}

// step is the next event: a new order, or what becomes of the oldest.
func (c *Customers) step(now time.Time) Order {
	if len(c.open) < 2 || len(c.open) < 6 && rand.IntN(2) == 0 {
		o := c.order(now)
		c.open = append(c.open, o)
		return o
	}
	o := c.open[0]
	c.open, o.Time = c.open[1:], now
	switch {
	case o.Event == OrderShipped:
		o.Event = OrderDelivered
	case rand.IntN(6) == 0:
		o.Event = OrderCancelled
	default:
		o.Event, o.Truck = OrderShipped, c.truckFor(o.User)
		c.open = append(c.open, o)
	}
	return o
}

var goods = [...]string{"Insulin", "Vaccine", "Antibiotics", "Plasma", "Eye drops"}

func (c *Customers) order(now time.Time) Order {
	return Order{
		ID: crand.Text()[:6], Event: OrderCreated, Product: goods[rand.IntN(len(goods))], Quantity: 1 + rand.IntN(40),
		User: c.opts.Users[rand.IntN(len(c.opts.Users))].Name, Time: now,
	}
}

// truckFor is one of a fleet that the user sees.
func (c *Customers) truckFor(user string) string {
	each := c.opts.Trucks / len(depots)
	for _, u := range c.opts.Users {
		if u.Name == user && each > 0 {
			return fmt.Sprintf("%s-%04d", u.Fleets[rand.IntN(len(u.Fleets))], 1+rand.IntN(each))
		}
	}
	return ""
}
