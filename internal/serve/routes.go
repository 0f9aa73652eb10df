package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/auth"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/internal/access"
	"github.com/seed-09a96375/belfry/internal/route"
	"github.com/seed-09a96375/belfry/socketio"
	"github.com/seed-09a96375/belfry/stomp"
)

// namespace is what all fronts share.
const namespace = "/"

// routes brings events of clients to the router, and its answers back to them.
type routes struct {
	router *route.Router
	guard  *access.Guard
	places chan struct{} // of answers that are waited for

	all sync.WaitGroup
}

// maxWaiting bounds the answers of backends that clients of this node wait for at
// once. Beyond it a client's next events wait, too.
const maxWaiting = 10_000

func newRoutes(r *route.Router, g *access.Guard) *routes {
	return &routes{router: r, guard: g, places: make(chan struct{}, maxWaiting)}
}

// wait returns when nobody waits for an answer any more.
func (r *routes) wait() { r.all.Wait() }

// incoming completes an event with who has sent it.
func (r *routes) incoming(c access.Client, in *route.Incoming) *route.Incoming {
	in.Namespace, in.Socket, in.User = namespace, c.ID(), c.User()
	in.May = func(a auth.Action, room belfry.Room) error { return r.guard.May(c, a, room) }
	return in
}

// later calls f in a goroutine of its own; here, if there are too many already.
func (r *routes) later(f func()) {
	select {
	case r.places <- struct{}{}:
		r.all.Go(func() {
			defer func() { <-r.places }()
			f()
		})
	default:
		f()
	}
}

// fromSocketIO takes the events that no handler takes.
func (r *routes) fromSocketIO(ctx context.Context, s *socketio.Socket, event string, args socketio.Args, ack socketio.Acknowledge) {
	in := &route.Incoming{Event: event, Ack: ack != nil}
	in.Args, in.Attachments = args.Array()
	result, err := r.router.Route(ctx, r.incoming(access.OfSocketIO(s), in))
	switch {
	case ack == nil:
	case err != nil || !result.Waits():
		ack(socketio.Args{}, err)
	default:
		r.later(func() {
			answer, err := result.Await(ctx)
			if err != nil {
				ack(socketio.Args{}, err)
				return
			}
			ack(socketio.NewArgs(answer, nil))
		})
	}
}

// fromSTOMP takes what is sent to /app/NAME. RECEIPT says that it is where it belongs;
// the answer comes to /user/queue/NAME, or to the header reply-to, if the client has
// subscribed to that.
func (r *routes) fromSTOMP(ctx context.Context, c *stomp.Conn, m *stomp.Message) error {
	in := &route.Incoming{Event: m.Name, ID: m.Header("id")}
	var err error
	if in.Ack, err = c.Awaits(m); err != nil {
		return err
	}
	if in.Args, in.Attachments, err = m.Args(); err != nil {
		return err
	}
	result, err := r.router.Route(ctx, r.incoming(access.OfSTOMP(c), in))
	if err != nil || !result.Waits() {
		return err
	}
	r.later(func() {
		answer, err := result.Await(c.Context())
		if err != nil {
			answer = failed(err)
		}
		_ = c.Answer(m, answer) // Awaits has seen that it can be
	})
	return nil
}

// failed are the arguments of an answer that says what is wrong, as acks of Socket.IO
// have it.
func failed(err error) json.RawMessage {
	type fault struct {
		Message string `json:"message"`
		Code    string `json:"code,omitempty"`
	}
	f := fault{Message: err.Error()}
	var coded interface{ ErrorCode() string }
	if errors.As(err, &coded) {
		f.Code = coded.ErrorCode()
	}
	b, _ := json.Marshal([]map[string]fault{{"error": f}}) // texts only
	return b
}

// validateRoutes names what the router refuses, and what no client could use.
func (o Options) validateRoutes() (faults []error) {
	r := o.Routes
	r.Queues, r.Webhooks = o.queueNames(), o.webhookNames()
	faults = append(faults, r.Validate())
	bad := func(field, value string) {
		if value != "" && value != namespace {
			faults = append(faults, fmt.Errorf("route: Options.%s.Namespace is %q: must be /, which is what a node serves", field, value))
		}
	}
	for i, each := range r.Routes {
		bad(fmt.Sprintf("Routes[%d]", i), each.Namespace)
	}
	for i, each := range r.Sources {
		bad(fmt.Sprintf("Sources[%d]", i), each.Namespace)
	}
	return faults
}

// openRouter makes the router, and opens the topics that it appends to.
func (n *node) openRouter(space *hub.Space) (*route.Router, error) {
	if err := n.openTopics(); err != nil {
		return nil, err
	}
	o := n.o.Routes
	o.Queues, o.Webhooks, o.Logger = n.o.queueNames(), n.o.webhookNames(), n.log
	all := n.queues.links()
	hooks := make(map[string]belfry.Queue)
	for _, w := range n.o.Webhooks {
		hooks[w.Name] = all[w.Completed().Queue]
	}
	r, err := route.New(o, route.Links{
		Publish: space.Send, PublishAll: space.SendAll,
		Queues: all, Webhooks: hooks, Topics: n.topics.links(), Archive: n.archiveQueue(), Node: n.o.Node,
	})
	if err != nil {
		return nil, err
	}
	if k := r.Keeper(); k != nil {
		space.OnPublish(k)
	}
	return r, nil
}
