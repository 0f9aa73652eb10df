package socketio

import (
	"context"
	"time"

	"github.com/seed-09a96375/belfry/engineio"
)

// Drain moves the clients to other nodes: before a node is stopped. From now on
// Health is not ok and new clients are turned away (503). The connections of
// those that are here, and the WebSockets that are passed on to other nodes, are
// ended one after the other, evenly over the given time; 0 or less: all at once.
// For a client that is like a connection that broke: it reconnects by itself, and
// with recovery goes on where it was.
//
// Drain returns when no client is left and no request is passed on, which may be
// before the time is over, or with the error of ctx when that ends: then the others
// are still there. Close follows.
func (s *Server) Drain(ctx context.Context, over time.Duration) error {
	s.draining.Store(true)
	s.engine.Refuse()
	all := s.connections()
	p := newPace(over, len(all))
	defer p.stop()
	for i, end := range all {
		if err := p.wait(ctx, i, s.deserted); err != nil {
			return err
		}
		end()
	}
	return p.wait(ctx, len(all), func() bool { return s.passedOn() == 0 })
}

// connections returns what ends each of the connections of this node.
func (s *Server) connections() []func() {
	var all []func()
	s.engine.Each(func(session *engineio.Session) {
		all = append(all, func() { session.CloseReason(engineio.ReasonServerShutdown) })
	})
	if s.forward != nil {
		s.forward.EachTunnel(func(end func()) { all = append(all, end) })
	}
	return all
}

func (s *Server) deserted() bool { return s.engine.Sessions() == 0 && s.passedOn() == 0 }

// passedOn returns the number of requests and WebSockets that go on to other nodes.
func (s *Server) passedOn() int {
	if s.forward == nil {
		return 0
	}
	return s.forward.Active()
}

// pace spreads steps evenly over a time.
type pace struct {
	begun time.Time
	step  time.Duration
	timer *time.Timer
}

// deserted is looked at at least this often.
const paceLook = 100 * time.Millisecond

func newPace(over time.Duration, steps int) *pace {
	return &pace{begun: time.Now(), step: max(over, 0) / time.Duration(max(steps, 1)), timer: time.NewTimer(0)}
}

func (p *pace) stop() { p.timer.Stop() }

// wait returns when step i is due, or done says that no step is needed any more.
func (p *pace) wait(ctx context.Context, i int, done func() bool) error {
	due := p.begun.Add(time.Duration(i) * p.step)
	for ctx.Err() == nil {
		left := time.Until(due)
		if left <= 0 || done() {
			return nil
		}
		p.timer.Reset(min(left, paceLook))
		select {
		case <-ctx.Done():
		case <-p.timer.C:
		}
	}
	return ctx.Err()
}

// leaveTime is what leaving the cluster may take beyond the time of Close. A node
// that does not take leave is waited for by the others.
const leaveTime = time.Second

// lastMoment is ctx, or a little more time if it has ended.
func lastMoment(ctx context.Context) (context.Context, context.CancelFunc) {
	if ctx.Err() == nil {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(context.WithoutCancel(ctx), leaveTime)
}
