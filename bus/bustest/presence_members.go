package bustest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-09a96375/belfry"
)

func memberChecks() []presenceCheck {
	return []presenceCheck{
		{
			name:   "all nodes know who is in a room",
			clause: "Enter makes a socket present, or changes how it is present; the room is told",
			nodes:  3, run: checkMembers,
		},
		{
			name:   "rooms with similar names are apart",
			clause: "Place is a room of a namespace",
			nodes:  2, run: checkPlaces,
		},
		{
			name:   "presence of a closed link says so",
			clause: "ErrClosed: the link was closed",
			nodes:  2, run: checkPresenceClosed,
		},
	}
}

func checkMembers(ctx context.Context, h *hall) error {
	a, b := h.alive[0], h.alive[1]
	ada, bob := stay("ada", 1), stay("bob", 1)
	meta := `{"name":"grüß\n<b>","n":1.50}`
	first, err := a.enter(ctx, ada, arrive("Ada \"L\"", meta))
	if err != nil {
		return err
	}
	if first.JoinedAt.IsZero() || first.Node != a.id || first.Version == 0 {
		return fmt.Errorf("entered as %+v", first)
	}
	if _, err := b.enter(ctx, bob, arrive("", "")); err != nil {
		return err
	}
	if _, err := a.enter(ctx, ada, arrive("Ada \"L\"", meta)); err != nil { // nothing new
		return err
	}
	second, err := a.enter(ctx, ada, amend("Ada \"L\"", `2`))
	if err != nil {
		return err
	}
	if !second.JoinedAt.Equal(first.JoinedAt) {
		return fmt.Errorf("joined at %v, after an update at %v", first.JoinedAt, second.JoinedAt)
	}
	if _, err := a.Enter(ctx, stay("eve", 1), amend("", `3`)); !errors.Is(err, belfry.ErrNotPresent) || errors.Is(err, belfry.ErrUnavailable) {
		return fmt.Errorf("amend of who is not there: %v, want ErrNotPresent", err)
	}
	if err := errors.Join(b.exit(ctx, bob, 0), b.exit(ctx, bob, 0)); err != nil {
		return err
	}
	return h.allHear(ctx, `join ada Ada "L" `+meta, "join bob  null", `update ada Ada "L" 2`, "leave bob")
}

func amend(user, meta string) belfry.Entrance {
	e := arrive(user, meta)
	e.Kind = belfry.Amend
	return e
}

// checkPlaces uses names that a careless way to join them makes equal.
func checkPlaces(ctx context.Context, h *hall) error {
	places := []belfry.Place{
		{Namespace: "/a#b", Room: "c"},
		{Namespace: "/a", Room: "b#c"},
		{Namespace: "/a%23b", Room: "c"},
		{Namespace: "/a", Room: "b"},
		{Namespace: "/a", Room: "b\x00\n5 é"},
	}
	for i, at := range places {
		s := belfry.Stay{Place: at, Socket: belfry.SocketID(fmt.Sprint("socket", i)), Hold: 1}
		if _, err := h.alive[i%2].Enter(ctx, s, arrive("", "")); err != nil {
			return err
		}
		if _, err := h.alive[0].Set(ctx, at, belfry.Entry{Key: "k", Value: []byte("1")}, 1); err != nil {
			return fmt.Errorf("state of %q: %w", at, err)
		}
	}
	for i, at := range places {
		members, err := h.alive[1].Members(ctx, at)
		if err != nil {
			return err
		}
		if len(members) != 1 || members[0].ID != belfry.SocketID(fmt.Sprint("socket", i)) {
			return fmt.Errorf("members of %q are %+v", at, members)
		}
	}
	return nil
}

func checkPresenceClosed(ctx context.Context, h *hall) error {
	g := h.alive[0]
	if err := g.close(ctx); err != nil {
		return err
	}
	_, enter := g.Enter(ctx, stay("ada", 1), arrive("", ""))
	_, members := g.Members(ctx, hallPlace)
	_, count := g.Count(ctx, hallPlace)
	_, set := g.Set(ctx, hallPlace, belfry.Entry{Key: "k", Value: []byte("1")}, 1)
	_, entries := g.Entries(ctx, hallPlace)
	for name, err := range map[string]error{
		"Enter": enter, "Exit": g.Exit(ctx, stay("ada", 1), 0), "Members": members, "Count": count, "Set": set, "Entries": entries,
	} {
		if !errors.Is(err, belfry.ErrClosed) {
			return fmt.Errorf("%s of a closed link: %v, want ErrClosed", name, err)
		}
	}
	return nil
}

func returnChecks() []presenceCheck {
	return []presenceCheck{
		{
			name:   "who returns in time was never away",
			clause: "A socket that is away is still present; nobody is told",
			nodes:  3, run: checkReturns,
		},
		{
			name:   "who stays away leaves once",
			clause: "If it does not return in time it leaves, told once",
			nodes:  3, run: checkStaysAway,
		},
		{
			name:   "the members of a dead node are away",
			clause: "The sockets of a node that dies, or is closed, are away from that moment on",
			nodes:  3, run: checkDeadNode,
		},
	}
}

func back(hold uint64) (belfry.Stay, belfry.Entrance) {
	e := arrive("", "")
	e.Kind = belfry.Return
	return stay("ada", hold), e
}

func checkReturns(ctx context.Context, h *hall) error {
	a, b := h.alive[0], h.alive[1]
	if _, err := a.enter(ctx, stay("ada", 1), arrive("Ada", "1")); err != nil {
		return err
	}
	if err := a.exit(ctx, stay("ada", 1), time.Minute); err != nil {
		return err
	}
	s, e := back(2)
	p, err := b.enter(ctx, s, e)
	if err != nil {
		return err
	}
	if p.User != "Ada" || string(p.Meta) != "1" || p.Node != b.id {
		return fmt.Errorf("returned as %+v", p)
	}
	// It is on the other node by now, whatever the first one still thinks.
	if err := errors.Join(a.exit(ctx, stay("ada", 1), 0), a.exit(ctx, stay("ada", 1), time.Nanosecond)); err != nil {
		return err
	}
	// So it is when it returns to the same node before the node has noticed.
	s, e = back(3)
	if _, err := b.enter(ctx, s, e); err != nil {
		return err
	}
	if err := b.exit(ctx, stay("ada", 2), 0); err != nil {
		return err
	}
	if _, err := b.Enter(ctx, stay("ada", 2), amend("Eve", "")); !errors.Is(err, belfry.ErrNotPresent) {
		return fmt.Errorf("an earlier connection amends: %v, want ErrNotPresent", err)
	}
	if _, err := h.alive[2].enter(ctx, stay("end", 1), arrive("", "")); err != nil {
		return err
	}
	return h.allHear(ctx, "join ada Ada 1", "join end  null")
}

func checkStaysAway(ctx context.Context, h *hall) error {
	a, b := h.alive[0], h.alive[1]
	if _, err := b.enter(ctx, stay("bob", 1), arrive("", "")); err != nil {
		return err
	}
	if _, err := a.enter(ctx, stay("ada", 1), arrive("", "")); err != nil {
		return err
	}
	const away = 700 * time.Millisecond
	begun := time.Now()
	if err := a.exit(ctx, stay("ada", 1), away); err != nil {
		return err
	}
	if err := h.allHear(ctx, "join bob  null", "join ada  null", "leave ada"); err != nil {
		return err
	}
	if early := away - time.Since(begun); early > 0 {
		return fmt.Errorf("it left %v too soon", early)
	}
	// Who is back after that has joined again.
	s, e := back(2)
	if _, err := b.enter(ctx, s, e); err != nil {
		return err
	}
	return h.allHear(ctx, "join bob  null", "join ada  null", "leave ada", "join ada  null")
}

func checkDeadNode(ctx context.Context, h *hall) error {
	a, b := h.alive[0], h.alive[1]
	for _, id := range []string{"ada", "gone"} {
		if _, err := a.enter(ctx, stay(id, 1), arrive("", "")); err != nil {
			return err
		}
	}
	if _, err := b.enter(ctx, stay("bob", 1), arrive("", "")); err != nil {
		return err
	}
	joined := []string{"join ada  null", "join gone  null", "join bob  null"}
	if err := errors.Join(h.allHear(ctx, joined...), h.lose(ctx, 0)); err != nil {
		return err
	}
	if err := h.agree(ctx); err != nil {
		return fmt.Errorf("right after the death: %w", err)
	}
	s, e := back(2)
	if _, err := b.enter(ctx, s, e); err != nil {
		return err
	}
	if err := h.allHear(ctx, append(joined, "leave gone")...); err != nil {
		return err
	}
	if err := pause(ctx, 1500*time.Millisecond); err != nil { // time for a second leave
		return err
	}
	return h.allHear(ctx, append(joined, "leave gone")...)
}
