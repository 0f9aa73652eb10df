package serve

import (
	"context"

	"github.com/seed-09a96375/belfry/internal/access"
	"github.com/seed-09a96375/belfry/internal/route"
	"github.com/seed-09a96375/belfry/plain"
)

// Plain says how clients without a library are served: JSON over WebSocket, and
// Server-Sent Events. What is not here they share with others: origins, heart-beats
// and limits of the node.
type Plain struct {
	// WebSocket is the path of JSON over WebSocket. Empty: not served.
	WebSocket string
	// Events is the path of Server-Sent Events. Empty: not served.
	Events string
}

func (o Options) plain() plain.Options {
	p := plain.Options{
		Origins: o.Origins, MaxMessage: o.MaxMessage, MaxRequestsPerSecond: o.MaxEventsPerSecond,
		Presence: o.keepsPresence(), Logger: o.Logger,
	}
	if o.PingInterval != 0 {
		p.Heartbeat = max(o.PingInterval, leastHeartbeat)
	}
	return p
}

// openPlain adds the fronts, if they are served.
func (n *node) openPlain(f *fronts) error {
	if n.o.Plain == (Plain{}) {
		return nil
	}
	o := n.o.plain()
	o.Poller, o.Places, o.App = f.io.Engine().Poller(), n.places, n.routes.fromPlain
	o.History = n.plainHistory()
	n.guard.GuardPlain(&o)
	var err error
	f.plain, err = plain.New(f.io.Hub(), o)
	return err
}

// fromPlain takes the events that clients send to the application.
func (r *routes) fromPlain(ctx context.Context, c *plain.Conn, e *plain.Event) (*plain.Answer, error) {
	in := &route.Incoming{Event: e.Name, Args: e.Args, Attachments: e.Attachments, ID: e.ID, Ack: true}
	result, err := r.router.Route(ctx, r.incoming(access.OfPlain(c), in))
	if err != nil || !result.Waits() {
		return nil, err
	}
	return &plain.Answer{Await: func(ctx context.Context) (*plain.Answer, error) {
		args, err := result.Await(ctx)
		if err != nil {
			return nil, err
		}
		return &plain.Answer{Args: args}, nil
	}}, nil
}
