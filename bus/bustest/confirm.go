package bustest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-09a96375/belfry"
)

// confirmTime is how long a bus may take to note what is confirmed, beyond the
// time that Confirm says.
const confirmTime = 6 * time.Second

// confirming is sessions on one node that another takes.
type confirming struct {
	here, there belfry.Sessions
	owner       belfry.NodeID // here
	begin, late belfry.Offset // positions; what was published between is delivered
}

func (c *cluster) confirming(ctx context.Context) (*confirming, error) {
	x := &confirming{owner: c.members[0].id}
	var err error
	if x.here, x.there, err = c.stores(); err != nil {
		return nil, err
	}
	for i, o := range []*belfry.Offset{&x.begin, &x.late} {
		m := event(fmt.Sprint("step", i), to("room"))
		if err := c.members[0].publish(ctx, m); err != nil {
			return nil, err
		}
		*o = m.Offset
	}
	return x, nil
}

func (x *confirming) hold(ctx context.Context, held bool) error {
	s := session("s")
	s.Since = x.begin
	s.Rooms = []belfry.Membership{{Room: "early", Since: x.begin}, {Room: "late", Since: x.late}}
	return x.here.Hold(ctx, s, time.Minute, held)
}

// take lets the other node take the session, by force or after a Keep.
func (x *confirming) take(ctx context.Context, kept bool) (*belfry.Session, error) {
	silent := x.owner
	if kept {
		s := session("s")
		s.Since, s.Rooms = x.begin, []belfry.Membership{{Room: "early", Since: x.begin}, {Room: "late", Since: x.late}}
		if err := x.here.Keep(ctx, s, time.Minute, true); err != nil {
			return nil, err
		}
		silent = ""
	}
	s, err := x.there.Take(ctx, namespace, "s", silent)
	return s, errors.Join(err, x.there.Drop(ctx, namespace, "s"))
}

// raised waits until a session that is let go of has been moved to what was
// delivered. It gives the bus more time in each round.
func (x *confirming) raised(ctx context.Context, kept bool) error {
	for wait := 250 * time.Millisecond; ; wait *= 2 {
		if err := x.hold(ctx, false); err != nil {
			return err
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
		if err := x.hold(ctx, true); err != nil { // changes nothing
			return err
		}
		s, err := x.take(ctx, kept)
		if err != nil {
			return err
		}
		if s.Since == x.begin && wait < confirmTime {
			continue
		}
		for _, since := range []belfry.Offset{s.Since, s.Rooms[0].Since, s.Rooms[1].Since} {
			if since != x.late {
				return fmt.Errorf("the session is since %q, its rooms since %v, want what was delivered, %q", s.Since, s.Rooms, x.late)
			}
		}
		return nil
	}
}

func checkConfirm(ctx context.Context, c *cluster) error {
	x, err := c.confirming(ctx)
	if err != nil {
		return err
	}
	x.here.Confirm(200 * time.Millisecond)
	if err := x.raised(ctx, false); err != nil {
		return fmt.Errorf("held: %w", err)
	}
	if err := x.raised(ctx, true); err != nil {
		return fmt.Errorf("kept: %w", err)
	}
	return nil
}

// checkConfirmBefore takes sessions that have not been held for long, when those
// that have are moved: what they missed may be on its way.
func checkConfirmBefore(ctx context.Context, c *cluster) error {
	const after = 500 * time.Millisecond
	x, err := c.confirming(ctx)
	if err != nil {
		return err
	}
	x.here.Confirm(after)
	if err := x.raised(ctx, false); err != nil {
		return err
	}
	for i := range 6 {
		held := time.Now()
		if err := x.hold(ctx, false); err != nil {
			return err
		}
		if err := pause(ctx, time.Duration(i)*after/8); err != nil {
			return err
		}
		s, err := x.take(ctx, i%2 == 0)
		if err != nil {
			return err
		}
		if s.Since != x.begin && time.Since(held) < after {
			return fmt.Errorf("a session that was held for less than %v was moved from %q to %q", after, x.begin, s.Since)
		}
	}
	return nil
}

// checkUnconfirmed: nothing is moved if nothing is confirmed.
func checkUnconfirmed(ctx context.Context, c *cluster) error {
	x, err := c.confirming(ctx)
	if err != nil {
		return err
	}
	x.there.Confirm(time.Millisecond) // another node's clients
	for _, kept := range []bool{false, true} {
		if err := errors.Join(x.hold(ctx, false), pause(ctx, 2500*time.Millisecond)); err != nil {
			return err
		}
		s, err := x.take(ctx, kept)
		if err != nil {
			return err
		}
		if s.Since != x.begin || s.Rooms[0].Since != x.begin {
			return fmt.Errorf("nothing was confirmed, but the session was moved from %q to %q", x.begin, s.Since)
		}
	}
	return nil
}
