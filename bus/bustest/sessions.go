package bustest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-09a96375/belfry"
)

func sessionChecks() []check {
	return []check{
		{
			name:   "a session comes back as it was kept",
			clause: "Keep stores s; Take removes the session and returns it",
			nodes:  2, keeps: true, run: checkSessionContent,
		},
		{
			name:   "a session is taken once",
			clause: "of several callers exactly one gets it",
			nodes:  2, keeps: true, run: checkTakenOnce,
		},
		{
			name:   "a second keep replaces the first",
			clause: "a second Keep replaces the first",
			nodes:  2, keeps: true, run: checkKeepReplaces,
		},
		{
			name:   "a session expires, but not too soon",
			clause: "Keep stores s for at least ttl; ErrNoSession: expired",
			nodes:  1, keeps: true, run: checkExpiry,
		},
		{
			name:   "a session belongs to its namespace",
			clause: "Take of a namespace and id",
			nodes:  1, keeps: true, run: checkSessionNamespace,
		},
	}
}

func session(id string) *belfry.Session {
	return &belfry.Session{
		ID: belfry.SessionID(id), Socket: belfry.SocketID("socket of " + id), Namespace: namespace, Since: "since",
		Rooms: []belfry.Membership{{Room: "a", Since: "1-2"}, {Room: "ü,#", Since: ""}},
		Data:  []byte(`{"name":"grüß", "n":1.50}`),
	}
}

func checkSessionContent(ctx context.Context, c *cluster) error {
	here, err := c.members[0].sessions()
	if err != nil {
		return err
	}
	there, err := c.members[1].sessions()
	if err != nil {
		return err
	}
	bare := &belfry.Session{ID: "bare", Socket: "socket", Namespace: namespace}
	for _, want := range []*belfry.Session{session("full"), bare} {
		if err := here.Keep(ctx, want, time.Minute, false); err != nil {
			return fmt.Errorf("keep: %w", err)
		}
		got, err := there.Take(ctx, namespace, want.ID, "")
		if err != nil {
			return fmt.Errorf("take on another node: %w", err)
		}
		if got.Data == nil != (want.Data == nil) {
			return fmt.Errorf("data %q, want %q: no data is nil", got.Data, want.Data)
		}
		if !reflect.DeepEqual(plain(got), plain(want)) {
			return fmt.Errorf("took %+v, want %+v", got, want)
		}
		for _, s := range []belfry.Sessions{here, there} {
			again, err := s.Take(ctx, namespace, want.ID, "")
			if err := heldBy(c.members[1].id, again, err); err != nil {
				return fmt.Errorf("second take: %w", err)
			}
		}
	}
	return noSession(here.Take(ctx, namespace, "unknown", ""))
}

// plain makes no difference between nil and empty.
func plain(s *belfry.Session) belfry.Session {
	p := *s
	p.Rooms = append([]belfry.Membership{}, s.Rooms...)
	p.Data = append([]byte{}, s.Data...)
	return p
}

func noSession(s *belfry.Session, err error) error {
	if !errors.Is(err, belfry.ErrNoSession) {
		return fmt.Errorf("got session %v and error %v, want ErrNoSession", s, err)
	}
	return nil
}

// takers is how many try to take one session at the same time.
const takers = 50

func checkTakenOnce(ctx context.Context, c *cluster) error {
	stores := make([]belfry.Sessions, len(c.members))
	for i, m := range c.members {
		var err error
		if stores[i], err = m.sessions(); err != nil {
			return err
		}
	}
	for round := range 20 {
		s := session(fmt.Sprint("round", round))
		if err := stores[0].Keep(ctx, s, time.Minute, false); err != nil {
			return err
		}
		if err := takeAtOnce(ctx, stores, s.ID); err != nil {
			return err
		}
	}
	return nil
}

func takeAtOnce(ctx context.Context, stores []belfry.Sessions, id belfry.SessionID) error {
	var got atomic.Int32
	var wg sync.WaitGroup
	begin := make(chan struct{})
	errs := make([]error, takers)
	for i := range takers {
		wg.Go(func() {
			<-begin
			_, err := stores[i%len(stores)].Take(ctx, namespace, id, "")
			var held *belfry.HeldError
			switch {
			case err == nil:
				got.Add(1)
			case !errors.Is(err, belfry.ErrNoSession) && !errors.As(err, &held):
				errs[i] = fmt.Errorf("take: %w", err)
			}
		})
	}
	close(begin)
	wg.Wait()
	if n := got.Load(); n != 1 {
		return fmt.Errorf("%d of %d callers got session %s, want 1", n, takers, id)
	}
	return errors.Join(errs...)
}

func checkKeepReplaces(ctx context.Context, c *cluster) error {
	here, err := c.members[0].sessions()
	if err != nil {
		return err
	}
	there, err := c.members[1].sessions()
	if err != nil {
		return err
	}
	second := session("s")
	second.Data = []byte(`"second"`)
	if err := errors.Join(here.Keep(ctx, session("s"), time.Minute, false), there.Keep(ctx, second, time.Minute, false)); err != nil {
		return err
	}
	got, err := here.Take(ctx, namespace, "s", "")
	if err != nil {
		return err
	}
	if string(got.Data) != `"second"` {
		return fmt.Errorf("took the session with data %s", got.Data)
	}
	again, err := there.Take(ctx, namespace, "s", "")
	if err := heldBy(c.members[0].id, again, err); err != nil {
		return fmt.Errorf("the one that was replaced: %w", err)
	}
	return nil
}

// expiryTime is how long a session may outlive its time to live.
const expiryTime = 5 * time.Second

// checkExpiry keeps many sessions at once and takes one from time to time, since
// a take ends a session that has not expired.
func checkExpiry(ctx context.Context, c *cluster) error {
	const ttl, interval = 300 * time.Millisecond, 100 * time.Millisecond
	store, err := c.members[0].sessions()
	if err != nil {
		return err
	}
	const n = int(expiryTime / interval)
	kept := time.Now() // before the first Keep: the bus may count from here
	for i := range n {
		if err := store.Keep(ctx, session(fmt.Sprint("s", i)), ttl, false); err != nil {
			return err
		}
	}
	for i := range n {
		_, err := store.Take(ctx, namespace, belfry.SessionID(fmt.Sprint("s", i)), "")
		age := time.Since(kept)
		switch {
		case errors.Is(err, belfry.ErrNoSession) && age < ttl:
			return fmt.Errorf("a session was gone after %v, its time to live is %v", age, ttl)
		case errors.Is(err, belfry.ErrNoSession):
			return nil
		case err != nil:
			return err
		}
		if err := pause(ctx, interval); err != nil {
			return err
		}
	}
	return fmt.Errorf("sessions that were kept for %v are still there after %v", ttl, time.Since(kept))
}

func checkSessionNamespace(ctx context.Context, c *cluster) error {
	store, err := c.members[0].sessions()
	if err != nil {
		return err
	}
	one, two := session("same id"), session("same id")
	two.Namespace, two.Socket = "/two", "another"
	if err := errors.Join(store.Keep(ctx, one, time.Minute, false), store.Keep(ctx, two, time.Minute, false)); err != nil {
		return err
	}
	if err := noSession(store.Take(ctx, "/three", one.ID, "")); err != nil {
		return err
	}
	for _, want := range []*belfry.Session{one, two} {
		got, err := store.Take(ctx, want.Namespace, want.ID, "")
		if err != nil {
			return fmt.Errorf("take in %s: %w", want.Namespace, err)
		}
		if got.Socket != want.Socket {
			return fmt.Errorf("took the session of %q, want %q", got.Socket, want.Socket)
		}
	}
	return nil
}
