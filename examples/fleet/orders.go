package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/socketio"
)

// OrdersTopic is what order events come by unless you say otherwise: a topic of Kafka,
// or the key of a Redis Stream.
const OrdersTopic = "orders"

// What becomes of an order.
const (
	OrderCreated   = "order.created"
	OrderShipped   = "order.shipped"
	OrderDelivered = "order.delivered"
	OrderCancelled = "order.cancelled"
)

// Order is what has become of an order. It is the value of a record of the topic, with
// its ID as the key, the data of order_update and the body of notification.
type Order struct {
	ID       string    `json:"orderId"`
	Event    string    `json:"event"` // OrderCreated, …
	Product  string    `json:"product,omitempty"`
	Quantity int       `json:"quantity,omitempty"`
	User     string    `json:"user,omitempty"` // who has ordered; empty: managers alone hear of it
	Truck    string    `json:"truckId,omitempty"`
	Time     time.Time `json:"timestamp"` // milliseconds
}

// orderWire is an Order as producers write it. A Redis Stream has texts only.
type orderWire struct {
	OrderID   word            `json:"orderId"`
	ID        word            `json:"id"` // in place of orderId
	Event     string          `json:"event"`
	Product   string          `json:"product"`
	Quantity  json.Number     `json:"quantity"`
	User      string          `json:"user"`
	Truck     string          `json:"truckId"`
	Timestamp json.RawMessage `json:"timestamp"`
}

// word is a text, or a number as a text.
type word string

// UnmarshalJSON implements json.Unmarshaler.
func (w *word) UnmarshalJSON(text []byte) error {
	var n json.Number
	if err := json.Unmarshal(text, (*string)(w)); err == nil {
		return nil
	}
	err := json.Unmarshal(text, &n)
	*w = word(n)
	return err
}

// DecodeOrder reads a record. A header or field "event" says what has happened if the
// value does not, and the record's time when, in ms. The error says what is wrong with
// the record, which can never be used.
func DecodeOrder(r *belfry.Record) (Order, error) {
	var w orderWire
	if err := json.Unmarshal(r.Value, &w); err != nil {
		return Order{}, fmt.Errorf("the order event is no JSON object of its kind: %w", err)
	}
	if w.OrderID == "" {
		w.OrderID = w.ID
	}
	if w.Event == "" {
		w.Event = r.Meta["event"]
	}
	o := Order{ID: string(w.OrderID), Event: eventName(w.Event), Product: w.Product, User: w.User, Truck: w.Truck}
	if w.Quantity != "" {
		n, err := strconv.Atoi(w.Quantity.String())
		if err != nil {
			return Order{}, fmt.Errorf("quantity is %.40q: must be a whole number", w.Quantity)
		}
		o.Quantity = n
	}
	var err error
	if o.Time, err = orderTime(w.Timestamp, r.Time); err != nil {
		return Order{}, err
	}
	return o, o.Validate()
}

// eventName takes ORDER_SHIPPED for order.shipped as well.
func eventName(s string) string {
	return strings.ReplaceAll(strings.ToLower(s), "_", ".")
}

func orderTime(raw json.RawMessage, recorded time.Time) (time.Time, error) {
	if len(raw) == 0 && !recorded.IsZero() {
		return recorded.UTC().Truncate(time.Millisecond), nil
	}
	return readTime(raw)
}

// orderID is a name that can be a part of that of a message.
var orderID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// Validate says why o cannot be an order event.
func (o Order) Validate() error {
	switch {
	case !orderID.MatchString(o.ID):
		return fmt.Errorf("orderId is %.80q: must be 1 to 64 letters, digits, dots, dashes and underscores, a letter or digit first", o.ID)
	case o.Event != OrderCreated && o.Event != OrderShipped && o.Event != OrderDelivered && o.Event != OrderCancelled:
		return fmt.Errorf("event is %.80q: must be order.created, order.shipped, order.delivered or order.cancelled", o.Event)
	case o.Quantity < 0:
		return fmt.Errorf("quantity is %d: must not be negative", o.Quantity)
	case !isText(o.Product, 200):
		return fmt.Errorf("product is %.80q: must be 200 characters or less, none of them a control", o.Product)
	case !isText(o.User, 64):
		return fmt.Errorf("user is %.80q: must be 64 characters or less, none of them a control", o.User)
	case o.Truck != "" && !truckID.MatchString(o.Truck):
		return fmt.Errorf("truckId is %.80q: is none of a truck", o.Truck)
	}
	return checkClock("order "+o.ID, o.Time)
}

func isText(s string, most int) bool {
	return utf8.RuneCountInString(s) <= most && strings.IndexFunc(s, unicode.IsControl) < 0
}

// OrderRecords takes records of order events in: it is the handler of a
// belfry.BatchSource. What can never be used is named in a *belfry.PoisonBatchError.
func (f *Fleet) OrderRecords(ctx context.Context, records []*belfry.Record) error {
	reasons := make(map[int]error)
	for i, r := range records {
		o, err := DecodeOrder(r)
		if err != nil {
			reasons[i] = err
			continue
		}
		if err := f.TakeOrder(ctx, o); err != nil {
			return err
		}
	}
	if len(reasons) > 0 {
		return &belfry.PoisonBatchError{Reasons: reasons}
	}
	return nil
}

// TakeOrder takes an order event in: managers hear of it, and who has ordered. An
// order that was shipped once is not shipped again, however often the event comes.
func (f *Fleet) TakeOrder(ctx context.Context, o Order) error {
	return f.append(ctx, queuedOrder, o.name(), "order:"+o.ID, o.Time, o)
}

// name is the same for the same event in another record.
func (o Order) name() string { return o.ID + ":" + o.Event }

// OrderNews is the payload of the notification of an order event.
type OrderNews struct {
	ID    string    `json:"id"` // a client that gets one twice knows it by that
	Time  time.Time `json:"time"`
	Type  string    `json:"type"`  // "ORDER"
	Title string    `json:"title"` // Order.Event
	Body  Order     `json:"body"`
}

// orderUpdate is the payload of order_update.
type orderUpdate struct {
	Status string `json:"status"` // created, shipped, delivered, cancelled
	Data   Order  `json:"data"`
}

func newsOfOrder(o Order) news {
	n := news{
		id: o.name(), time: o.Time, key: "order:" + o.ID, text: o.Event + " " + o.ID, all: allOrders,
		payload: OrderNews{o.name(), o.Time, "ORDER", o.Event, o},
		also:    []message{{"order_update", orderUpdate{strings.TrimPrefix(o.Event, "order."), o}}},
	}
	if o.User != "" {
		n.own = orderRoom(o.User)
	}
	return n
}

// orderPage is the answer to orders, the newest first. Next, if not empty, asks for
// more.
type orderPage struct {
	Orders []OrderNews `json:"orders"`
	Next   string      `json:"next"`
}

// orders answers a dashboard that comes, comes back, or wants older ones.
func (f *Fleet) orders(ctx context.Context, s *socketio.Socket, q pageQuery) (orderPage, error) {
	who, err := visitorOf(s)
	if err != nil {
		return orderPage{}, err
	}
	page, next, err := pageOf[OrderNews](ctx, f, who.orderRooms(), q)
	return orderPage{page, next}, err
}

var errNoOrder = errors.New("the entry is no order event")
