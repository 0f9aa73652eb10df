package meet_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/examples/meet"
	"github.com/seed-09a96375/belfry/socketio"
	"github.com/seed-09a96375/belfry/socketio/socketiotest"
)

const (
	patience = 20 * time.Second
	never    = time.Hour // longer than any test
)

// serve starts a node that serves the rooms and the API, and returns its address.
func serve(t *testing.T, so socketio.Options, o meet.Options) string {
	t.Helper()
	so.Presence = meet.Keeps
	srv, err := socketio.New(so)
	if err != nil {
		t.Fatal(err)
	}
	m := meet.New(srv, o)
	web := httptest.NewServer(handler(srv, m))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := srv.Close(ctx); err != nil {
			t.Errorf("close server: %v", err)
		}
		web.Close()
	})
	return web.URL
}

// client is somebody in a room.
type client struct {
	*socketiotest.Client
	t *testing.T
}

// connect opens a connection, and the socket on it. What presence and state tell is
// not for applications.
func connect(t *testing.T, url string) *client {
	t.Helper()
	return &client{socketiotest.Connect(t, socketiotest.Options{URL: url, Ignore: func(name string) bool {
		return name == "state" || strings.HasPrefix(name, "presence:")
	}}), t}
}

// join connects, joins the room and waits until it is told who is there.
func join(t *testing.T, url, room, user string) *client {
	t.Helper()
	c := connect(t, url)
	c.must("join-room", room, user)
	c.waitStats(func(s meet.Stats) bool { return slices.Contains(users(s), user) })
	return c
}

// resume comes back, to any node, as the same client.
func (c *client) resume(url string) *client { return &client{c.Resume(url), c.t} }

// ask sends an event and returns the error that it is acked with, "" if none.
func (c *client) ask(name string, args ...any) string {
	c.t.Helper()
	return c.Refusal(c.Ask(name, args...))
}

// answer returns the error in the ack of what was sent last.
func (c *client) answer() string {
	c.t.Helper()
	return c.Refusal(c.Answer())
}

// must asks what is not refused.
func (c *client) must(name string, args ...any) {
	c.t.Helper()
	if problem := c.ask(name, args...); problem != "" {
		c.t.Fatalf("%s%v is refused: %s", name, args, problem)
	}
}

// waitFor returns the next event of that name.
func (c *client) waitFor(name string) socketiotest.Event {
	c.t.Helper()
	return c.Wait(func(e socketiotest.Event) bool { return e.Name == name })
}

// waitStats waits for room-stats-updated that are right.
func (c *client) waitStats(right func(meet.Stats) bool) (s meet.Stats) {
	c.t.Helper()
	c.Wait(func(e socketiotest.Event) bool {
		if e.Name != "room-stats-updated" {
			return false
		}
		s = meet.Stats{}
		c.Decode(e.Args[0], &s)
		return right(s)
	})
	return s
}

// waitUsers waits until exactly these are in the room. Those who came in the same
// millisecond are in any order.
func (c *client) waitUsers(want ...string) meet.Stats {
	c.t.Helper()
	return c.waitStats(func(s meet.Stats) bool { return slices.Equal(users(s), slices.Sorted(slices.Values(want))) })
}

// waitSharer waits until that user shares; "" is nobody.
func (c *client) waitSharer(user string) meet.Stats {
	c.t.Helper()
	return c.waitStats(func(s meet.Stats) bool {
		return s.SharingUser == nil && user == "" || s.SharingUser != nil && *s.SharingUser == user
	})
}

// names are those of the events from the nth on, with the user for those that
// name one.
func (c *client) names(from int) (all []string) {
	for _, e := range c.Heard[from:] {
		var user string
		if json.Unmarshal(e.Args[0], &user) == nil {
			all = append(all, e.Name+" "+user)
		} else {
			all = append(all, e.Name)
		}
	}
	return all
}

// users are the ids of all, sorted.
func users(s meet.Stats) (all []string) {
	for _, u := range s.Users {
		all = append(all, u.ID)
	}
	slices.Sort(all)
	return all
}
