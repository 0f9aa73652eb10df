package orders

import (
	"context"
	"fmt"

	"github.com/seed-09a96375/belfry/client"
)

// Order is the argument of the event order.
type Order struct {
	Customer string `json:"customer"`
	Item     string `json:"item"`
	Quantity int    `json:"quantity"`
}

// Receipt is the answer to it.
type Receipt struct {
	Order   string `json:"order"` // the event's id
	Backend string `json:"backend"`
	Total   int    `json:"total"`
}

// price of what there is, 0 for what there is not.
func price(item string) int {
	switch item {
	case "bell":
		return 120
	case "clapper":
		return 35
	case "rope":
		return 20
	}
	return 0
}

const maxQuantity = 100

// total is what an order costs.
func (o Order) total() (int, error) {
	each := price(o.Item)
	switch {
	case each == 0:
		return 0, fmt.Errorf("there is no %q: bell, clapper and rope are to be had", o.Item)
	case o.Quantity < 1 || o.Quantity > maxQuantity:
		return 0, fmt.Errorf("quantity is %d: must be from 1 to %d", o.Quantity, maxQuantity)
	}
	return each * o.Quantity, nil
}

// order answers with a Receipt. An order that cannot be is no fault of the queue: the
// client gets to know, and the event is done with.
func (b *Backend) order(ctx context.Context, d *client.Delivery) (any, error) {
	var o Order
	if err := first(d.Args, &o); err != nil {
		return err, nil //nolint:nilerr // it is the answer
	}
	total, err := o.total()
	if err != nil {
		return err, b.tell(ctx, d, "refused: "+err.Error())
	}
	text := fmt.Sprintf("%d × %s", o.Quantity, o.Item)
	return Receipt{Order: nameOf(d), Backend: b.Name, Total: total}, b.tell(ctx, d, text)
}
