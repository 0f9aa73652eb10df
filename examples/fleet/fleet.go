// Package fleet is a dashboard for trucks with goods that must be neither warm nor
// shaken, on any number of nodes: what trucks measure comes by a topic of Kafka, or
// from a simulator; what is wrong becomes an alert that is kept. What becomes of orders
// comes by another topic, or a Redis Stream.
//
//	topic ─ Records ─┬ State: last reading of each truck ┄┄ snapshot of who begins to watch
//	                 ├ truck_update ─ room of the truck: for the moment, latest value only
//	                 └ rules ─ claim ─ queue ─ Run ─┬ risk ─ store ─ notification
//	                            │       │           │          └┄┄┄ pages of who comes late
//	                            │       │           └ mail: Critical ones, tried again by itself
//	                            │       └ OrderRecords ─ orders: order_update, notification
//	                            └ one per truck and type in a minute, in the whole cluster
//
//	event         payload                              direction   ack
//	watch         {"trucks":[id,…],"bounds":{"south",  client      {"trucks":[reading,…],
//	              "west","north","east"},"limit",                   "inView","known"}
//	              "fleets":[name,…]}
//	alerts        {"before","limit"}                   client      {"alerts":[alert,…],"next"}
//	orders        {"before","limit"}                   client      {"orders":[order,…],"next"}
//	truck_update  {"truckId","latitude","longitude",   who watches the truck
//	              "temperature","vibration",
//	              "timestamp"}
//	notification  {"id","truckId","time","type",       who sees its fleet
//	 of an alert  "message","location":{"lat","lng"},
//	              "riskData"}
//	notification  {"id","time","type":"ORDER",         managers, and who has ordered
//	 of an order  "title":"order.shipped","body":data}
//	order_update  {"status":"shipped","data":          the same
//	              {"orderId","event","product",
//	              "quantity","user","truckId",
//	              "timestamp"}}
//
// CONNECT needs {"token"}, from POST /api/auth/login. A dashboard gets what it asked
// to watch in place of what it watched before, and the news that its user may see; it
// keeps the newer of two readings, by timestamp, and one of two notifications with an
// id. After a reconnect that did not recover it watches again and asks for the alerts
// and orders that it has missed. An event that is refused is acked with
// {"error":{"message":"…"}}.
package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/archive"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/socketio"
)

// Rooms. What trucks are called cannot make one of the other kind.
const (
	truckPrefix             = "fleet:truck:"
	alertPrefix             = "fleet:alerts:"
	orderPrefix             = "fleet:orders:"
	allAlerts   belfry.Room = "fleet:alerts"
	allOrders   belfry.Room = "fleet:orders"
)

func truckRoom(truck string) belfry.Room { return belfry.Room(truckPrefix + truck) }
func alertRoom(fleet string) belfry.Room { return belfry.Room(alertPrefix + fleet) }
func orderRoom(user string) belfry.Room  { return belfry.Room(orderPrefix + user) }

// Slow is for socketio.Options.Slow: a client that reads slowly gets the latest
// reading of each truck, and does not lose its connection for them. Other messages
// keep the default.
func Slow(m *belfry.Message) socketio.SlowPolicy {
	if len(m.Target.Rooms) == 1 && strings.HasPrefix(string(m.Target.Rooms[0]), truckPrefix) {
		return socketio.KeepLatest
	}
	return socketio.CloseSlow
}

// Queue is where alerts and orders wait until they are kept, told and mailed.
type Queue interface {
	belfry.Queue
	belfry.Consumer
}

// Options of a Fleet. State, Store, Queue, Secret are needed, all the same for all
// nodes.
type Options struct {
	State State
	// Store keeps alerts and orders.
	Store archive.Store
	Queue Queue
	// Users may log in.
	Users []User
	// Secret signs tokens, 32 bytes or more.
	Secret string
	// TokenLife is how long a login is good for. Default 1 h.
	TokenLife time.Duration
	// Risk is asked about what is Critical. nil: nobody is.
	Risk RiskFunc
	// RiskTimeout bounds the wait for it. Default 2 s.
	RiskTimeout time.Duration
	// Mail has what is Critical mailed to MailTo, an address. nil: nobody is told that
	// way.
	Mail   MailFunc
	MailTo string
	// MailTimeout bounds a try. Default 10 s.
	MailTimeout time.Duration
	// Debounce is the least time between two alerts of one truck and type, by the
	// times of the readings. Default 60 s.
	Debounce time.Duration
	// Forget is how long a truck that says nothing stays on the map. Default 10 min.
	Forget time.Duration
	// MaxWatch bounds the trucks that a dashboard watches. Default 200.
	MaxWatch int
	// Report takes a reading that a manager made up, to try an alarm: it goes where
	// those of trucks do. nil: that cannot be tried.
	Report func(ctx context.Context, r Reading) error
	// Page is what the page is told.
	Page PageInfo
	// Logger gets what clients are not told. Default slog.Default().
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	orDuration := func(d *time.Duration, is time.Duration) {
		if *d == 0 {
			*d = is
		}
	}
	orDuration(&o.TokenLife, time.Hour)
	orDuration(&o.RiskTimeout, 2*time.Second)
	orDuration(&o.MailTimeout, 10*time.Second)
	orDuration(&o.Debounce, time.Minute)
	orDuration(&o.Forget, 10*time.Minute)
	if o.MaxWatch == 0 {
		o.MaxWatch = 200
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

// Validate names the options that cannot work, all of them.
func (o Options) Validate() error {
	var errs []error
	no := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf("fleet: Options."+format, args...))
		}
	}
	no(o.State == nil, "State is missing")
	no(o.Store == nil, "Store is missing")
	no(o.Queue == nil, "Queue is missing")
	no(len(o.Secret) < 32, "Secret has %d bytes: must have 32 or more", len(o.Secret))
	no(o.Mail != nil && !isAddress(o.MailTo), "MailTo is %q: must be an address, like fleet@example.com", o.MailTo)
	no(o.MaxWatch < 0, "MaxWatch is %d: must not be negative", o.MaxWatch)
	for name, d := range map[string]time.Duration{
		"TokenLife": o.TokenLife, "RiskTimeout": o.RiskTimeout, "MailTimeout": o.MailTimeout, "Debounce": o.Debounce, "Forget": o.Forget,
	} {
		no(d < 0, "%s is %v: must not be negative", name, d)
	}
	for _, u := range o.Users {
		no(u.Name == "" || !slices.Contains([]Role{Manager, Pharmacist}, u.Role), "Users has %q with the role %q: must be named, and MANAGER or PHARMACIST", u.Name, u.Role)
		no(len(strings.Split(u.Hash, "$")) != 4, "Users has %q without a hash of HashPassword", u.Name)
	}
	return errors.Join(errs...)
}

func isAddress(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s
}

// Fleet serves dashboards on one node, and takes readings in. Every node of the
// cluster has its own. Safe for concurrent use.
type Fleet struct {
	server *socketio.Server
	ns     *socketio.Namespace
	space  *hub.Space
	opts   Options
	people *people
	places places

	mu       sync.Mutex
	sessions map[belfry.SocketID]*time.Timer // end those whose token has expired
}

// New registers the events on a namespace of srv. The caller runs Run, and closes the
// Fleet after srv.
func New(srv *socketio.Server, ns *socketio.Namespace, o Options) (*Fleet, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	f := &Fleet{
		server: srv, ns: ns, space: srv.Hub().Space(ns.Name(), hub.Hooks{}), opts: o, people: newPeople(o),
		places: places{state: o.State, forget: o.Forget}, sessions: make(map[belfry.SocketID]*time.Timer),
	}
	ns.Use(f.admit)
	ns.OnConnect(f.connected)
	ns.OnDisconnect(f.disconnected)
	socketio.OnAck(ns, "watch", f.watch)
	socketio.OnAck(ns, "alerts", f.alerts)
	socketio.OnAck(ns, "orders", f.orders)
	return f, nil
}

// Close ends the Fleet's own work. It does not close the server.
func (f *Fleet) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range f.sessions {
		t.Stop()
	}
}

// publish sends to clients on all nodes.
func (f *Fleet) publish(ctx context.Context, m *belfry.Message) error { return f.space.Publish(ctx, m) }

// admit lets in who has a token.
func (f *Fleet) admit(_ context.Context, s *socketio.Socket) error {
	var shown struct{ Token string }
	if raw := s.Auth(); raw != nil && json.Unmarshal(raw, &shown) != nil {
		return refusal("auth is no object with a token")
	}
	who, err := f.people.visitor(shown.Token)
	if err != nil {
		return &socketio.ConnectError{Message: err.Error(), Data: map[string]string{"code": "login"}}
	}
	s.SetData(who)
	return nil
}

// connected puts the visitor where they hear of alerts and orders, before anything that they
// ask: what is not in a page of the past comes.
func (f *Fleet) connected(_ context.Context, s *socketio.Socket) {
	who, err := visitorOf(s)
	left := time.Until(time.Unix(who.Expires, 0))
	if err == nil && left > 0 {
		err = s.Join(append(who.alertRooms(), who.orderRooms()...)...)
	}
	if err != nil || left <= 0 {
		s.Disconnect(false)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sessions[s.ID()] = time.AfterFunc(left, func() { s.Disconnect(false) })
}

func (f *Fleet) disconnected(s *socketio.Socket, _ socketio.Reason) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if t := f.sessions[s.ID()]; t != nil {
		t.Stop()
		delete(f.sessions, s.ID())
	}
}

// refusal is an error that the client is told as it is.
type refusal string

func (r refusal) Error() string { return string(r) }

const errAway refusal = "the server cannot do that now: try again"

// visitorOf is who the socket belongs to.
func visitorOf(s *socketio.Socket) (visitor, error) {
	who, ok := socketio.Data[visitor](s)
	if !ok {
		return visitor{}, refusal("log in first")
	}
	return who, nil
}
