package bustest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-09a96375/belfry"
)

func holdingChecks() []check {
	return []check{
		{
			name:   "a session that is held is not free",
			clause: "Take: a *HeldError: a node that seems to be alive holds it",
			nodes:  2, keeps: true, run: checkHeld,
		},
		{
			name:   "a session that is kept is held no longer",
			clause: "Hold and Keep replace what was stored; kept, it is held by nobody",
			nodes:  2, keeps: true, run: checkHoldThenKeep,
		},
		{
			name:   "a session that is dropped is gone",
			clause: "Drop forgets a session that this node holds",
			nodes:  2, keeps: true, run: checkDrop,
		},
		{
			name:   "who holds a session no longer learns it",
			clause: "Hold, Keep: ErrNoSession tells that another node has taken the session meanwhile",
			nodes:  2, keeps: true, run: checkTakenMeanwhile,
		},
		{
			name:   "a session is taken by force",
			clause: "Take: Always: take it; the owner learns it at its next Hold or Keep",
			nodes:  2, keeps: true, outlives: true, run: checkForce,
		},
		{
			name:   "a session outlives the node that held it",
			clause: "Hold stores the session for as long as the node lives, and for ttl after its death",
			nodes:  2, keeps: true, outlives: true, run: checkOutlives,
		},
		{
			name:   "what is confirmed is not missed",
			clause: "Confirm: the bus raises Since to what the last owner had delivered that long before it let go",
			nodes:  2, keeps: true, outlives: true, run: checkConfirm,
		},
		{
			name:   "what is confirmed is not about new sessions",
			clause: "Confirm: how long it takes until a client that is still connected has surely received a message",
			nodes:  2, keeps: true, outlives: true, run: checkConfirmBefore,
		},
		{
			name:   "what is not confirmed is not skipped",
			clause: "Confirm: until it is called nothing is raised",
			nodes:  2, keeps: true, outlives: true, run: checkUnconfirmed,
		},
	}
}

// stores returns the sessions of the first two nodes.
func (c *cluster) stores() (here, there belfry.Sessions, err error) {
	here, err = c.members[0].sessions()
	there, err2 := c.members[1].sessions()
	return here, there, errors.Join(err, err2)
}

// heldBy wants a *HeldError that names the owner.
func heldBy(owner belfry.NodeID, s *belfry.Session, err error) error {
	var held *belfry.HeldError
	if !errors.As(err, &held) {
		return fmt.Errorf("got session %v and error %v, want a HeldError", s, err)
	}
	if held.Owner != owner {
		return fmt.Errorf("the session is held by %q, want %q", held.Owner, owner)
	}
	return nil
}

// notHeld wants that neither a Hold nor a Keep finds the session.
func notHeld(ctx context.Context, store belfry.Sessions, s *belfry.Session) error {
	for name, err := range map[string]error{
		"Hold": store.Hold(ctx, s, time.Minute, true),
		"Keep": store.Keep(ctx, s, time.Minute, true),
	} {
		if !errors.Is(err, belfry.ErrNoSession) {
			return fmt.Errorf("%s of a session that is not held any more: %v, want ErrNoSession", name, err)
		}
	}
	return nil
}

func checkHeld(ctx context.Context, c *cluster) error {
	here, there, err := c.stores()
	if err != nil {
		return err
	}
	if err := errors.Join(
		here.Hold(ctx, session("a"), time.Minute, false), there.Hold(ctx, session("b"), time.Minute, false),
		here.Hold(ctx, session("a"), time.Minute, true),
	); err != nil {
		return fmt.Errorf("hold: %w", err)
	}
	for range 2 { // the first leaves it there
		for _, store := range []belfry.Sessions{there, here} {
			for i, id := range []belfry.SessionID{"a", "b"} {
				s, err := store.Take(ctx, namespace, id, "")
				if err := heldBy(c.members[i].id, s, err); err != nil {
					return err
				}
			}
		}
	}
	return noSession(there.Take(ctx, "/another", "a", ""))
}

func checkHoldThenKeep(ctx context.Context, c *cluster) error {
	here, there, err := c.stores()
	if err != nil {
		return err
	}
	last := session("s")
	last.Data = []byte(`"last"`)
	if err := errors.Join(
		here.Hold(ctx, session("s"), time.Minute, false), here.Keep(ctx, last, time.Minute, true),
	); err != nil {
		return err
	}
	got, err := there.Take(ctx, namespace, "s", "")
	if err != nil {
		return fmt.Errorf("take what was kept: %w", err)
	}
	if string(got.Data) != `"last"` {
		return fmt.Errorf("took the session with data %s", got.Data)
	}
	got, err = here.Take(ctx, namespace, "s", "")
	return heldBy(c.members[1].id, got, err)
}

func checkDrop(ctx context.Context, c *cluster) error {
	here, there, err := c.stores()
	if err != nil {
		return err
	}
	if err := errors.Join(
		here.Hold(ctx, session("s"), time.Minute, false), here.Hold(ctx, session("other"), time.Minute, false),
		here.Drop(ctx, namespace, "s"), here.Drop(ctx, namespace, "unknown"),
		there.Drop(ctx, namespace, "other"), // not its own
	); err != nil {
		return err
	}
	if err := noSession(there.Take(ctx, namespace, "s", "")); err != nil {
		return err
	}
	s, err := there.Take(ctx, namespace, "other", "")
	return heldBy(c.members[0].id, s, err)
}

// checkTakenMeanwhile lets another node take, and then hold, what a node thinks
// it holds.
func checkTakenMeanwhile(ctx context.Context, c *cluster) error {
	here, there, err := c.stores()
	if err != nil {
		return err
	}
	s := session("s")
	if err := errors.Join(here.Hold(ctx, s, time.Minute, false), here.Keep(ctx, s, time.Minute, true)); err != nil {
		return err
	}
	if err := notHeld(ctx, here, s); err != nil {
		return fmt.Errorf("kept: %w", err)
	}
	if _, err := there.Take(ctx, namespace, "s", ""); err != nil {
		return fmt.Errorf("after a Hold that must not have worked: %w", err)
	}
	if err := notHeld(ctx, here, s); err != nil {
		return fmt.Errorf("taken: %w", err)
	}
	got, err := here.Take(ctx, namespace, "s", "")
	if err := heldBy(c.members[1].id, got, err); err != nil {
		return fmt.Errorf("after a Keep that must not have worked: %w", err)
	}
	if err := there.Hold(ctx, s, time.Minute, true); err != nil {
		return fmt.Errorf("hold what was taken: %w", err)
	}
	if err := notHeld(ctx, here, s); err != nil {
		return fmt.Errorf("held by another: %w", err)
	}
	got, err = here.Take(ctx, namespace, "s", "")
	return heldBy(c.members[1].id, got, err)
}

func checkForce(ctx context.Context, c *cluster) error {
	here, there, err := c.stores()
	if err != nil {
		return err
	}
	s := session("s")
	if err := here.Hold(ctx, s, time.Minute, false); err != nil {
		return err
	}
	got, err := there.Take(ctx, namespace, "s", c.members[0].id)
	if err != nil {
		return fmt.Errorf("take by force: %w", err)
	}
	if got.Socket != s.Socket {
		return fmt.Errorf("took the session of %q, want %q", got.Socket, s.Socket)
	}
	if err := notHeld(ctx, here, s); err != nil {
		return err
	}
	got, err = here.Take(ctx, namespace, "s", "")
	return heldBy(c.members[1].id, got, err)
}

func checkOutlives(ctx context.Context, c *cluster) error {
	here, there, err := c.stores()
	if err != nil {
		return err
	}
	want := session("s")
	if err := here.Hold(ctx, want, time.Minute, false); err != nil {
		return err
	}
	if err := c.members[0].close(ctx); err != nil {
		return err
	}
	got, err := there.Take(ctx, namespace, "s", "")
	if err != nil {
		return fmt.Errorf("take from a node that is gone: %w", err)
	}
	if got.Socket != want.Socket || string(got.Data) != string(want.Data) || len(got.Rooms) != len(want.Rooms) {
		return fmt.Errorf("took %+v, want %+v", got, want)
	}
	got, err = there.Take(ctx, namespace, "s", "")
	return heldBy(c.members[1].id, got, err)
}
