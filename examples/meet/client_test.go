package meet_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/examples/meet"
	"github.com/seed-09a96375/belfry/socketio"
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

// client is a raw Socket.IO client over WebSocket.
type client struct {
	t       *testing.T
	ws      *websocket.Conn
	id      belfry.SocketID
	session string // what it can resume with
	offset  string // of the last event that it got
	lastAck int
	heard   []event // all events of the room so far
	next    int     // of heard, the first that wait has not seen
}

type event struct {
	name string
	args []json.RawMessage
}

// connect opens a connection with that CONNECT payload, and the socket on it.
// Events that come before the answer to CONNECT are kept.
func connect(t *testing.T, url, auth string) *client {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, url+"/socket.io/?EIO=4&transport=websocket", nil)
	if err != nil {
		t.Fatal(err)
	}
	ws.SetReadLimit(1 << 20)
	t.Cleanup(func() { _ = ws.CloseNow() })
	c := &client{t: t, ws: ws}
	c.read() // the handshake
	c.write("40" + auth)
	for {
		if hello, ok := strings.CutPrefix(c.take(), "40"); ok {
			var ids struct{ SID, PID string }
			c.decode([]byte(hello), &ids)
			c.id, c.session = belfry.SocketID(ids.SID), ids.PID
			return c
		}
	}
}

// join connects, joins the room and waits until it is told who is there.
func join(t *testing.T, url, room, user string) *client {
	t.Helper()
	c := connect(t, url, "")
	c.must("join-room", room, user)
	c.waitStats(func(s meet.Stats) bool { return slices.Contains(users(s), user) })
	return c
}

// lose ends the connection as a broken network does.
func (c *client) lose() { _ = c.ws.CloseNow() }

// resume comes back, to any node, as the same client.
func (c *client) resume(url string) *client {
	c.t.Helper()
	auth, err := json.Marshal(map[string]string{"pid": c.session, "offset": c.offset})
	if err != nil {
		c.t.Fatal(err)
	}
	return connect(c.t, url, string(auth))
}

// ask sends an event and returns the error that it is acked with, "" if none.
func (c *client) ask(name string, args ...any) string {
	c.t.Helper()
	c.send(name, args...)
	return c.answer()
}

// send sends an event that wants an ack.
func (c *client) send(name string, args ...any) {
	c.t.Helper()
	c.lastAck++
	packet, err := json.Marshal(append([]any{name}, args...))
	if err != nil {
		c.t.Fatal(err)
	}
	c.write(fmt.Sprintf("42%d%s", c.lastAck, packet))
}

// answer returns the error in the ack of what was sent last.
func (c *client) answer() string {
	c.t.Helper()
	for {
		if answer, ok := strings.CutPrefix(c.take(), fmt.Sprintf("43%d", c.lastAck)); ok {
			var args []struct{ Error struct{ Message string } }
			c.decode([]byte(answer), &args)
			if len(args) == 0 {
				return ""
			}
			return args[0].Error.Message
		}
	}
}

// must asks what is not refused.
func (c *client) must(name string, args ...any) {
	c.t.Helper()
	if problem := c.ask(name, args...); problem != "" {
		c.t.Fatalf("%s%v is refused: %s", name, args, problem)
	}
}

// wait returns the next event that is right, of those that were not waited for.
func (c *client) wait(right func(event) bool) event {
	c.t.Helper()
	for {
		for c.next < len(c.heard) {
			c.next++
			if e := c.heard[c.next-1]; right(e) {
				return e
			}
		}
		c.take()
	}
}

// waitFor returns the next event of that name.
func (c *client) waitFor(name string) event {
	c.t.Helper()
	return c.wait(func(e event) bool { return e.name == name })
}

// waitStats waits for room-stats-updated that are right.
func (c *client) waitStats(right func(meet.Stats) bool) (s meet.Stats) {
	c.t.Helper()
	c.wait(func(e event) bool {
		if e.name != "room-stats-updated" {
			return false
		}
		s = meet.Stats{}
		c.decode(e.args[0], &s)
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
	for _, e := range c.heard[from:] {
		var user string
		if json.Unmarshal(e.args[0], &user) == nil {
			all = append(all, e.name+" "+user)
		} else {
			all = append(all, e.name)
		}
	}
	return all
}

// take reads a packet, and keeps it if it is one of the application's events.
func (c *client) take() string {
	c.t.Helper()
	p := c.read()
	packet, ok := strings.CutPrefix(p, "42")
	if !ok {
		return p
	}
	var array []json.RawMessage
	c.decode([]byte(packet), &array)
	e := event{args: array[1:]}
	c.decode(array[0], &e.name)
	// As the official client does.
	var offset string
	if n := len(e.args); n > 0 && json.Unmarshal(e.args[n-1], &offset) == nil {
		c.offset = offset
	}
	if e.name != "state" && !strings.HasPrefix(e.name, "presence:") {
		c.heard = append(c.heard, e)
	}
	return p
}

func (c *client) read() string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	for {
		_, p, err := c.ws.Read(ctx)
		if err != nil {
			c.t.Fatalf("read: %v; heard: %s, at last %s", err, c.names(0), c.last())
		}
		if string(p) != "2" {
			return string(p)
		}
		c.write("3")
	}
}

func (c *client) write(packet string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	if err := c.ws.Write(ctx, websocket.MessageText, []byte(packet)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) decode(text []byte, v any) {
	c.t.Helper()
	if err := json.Unmarshal(text, v); err != nil {
		c.t.Fatalf("decode %q: %v", text, err)
	}
}

// users are the ids of all, sorted.
func users(s meet.Stats) (all []string) {
	for _, u := range s.Users {
		all = append(all, u.ID)
	}
	slices.Sort(all)
	return all
}

// last is the last event.
func (c *client) last() []json.RawMessage {
	if len(c.heard) == 0 {
		return nil
	}
	return c.heard[len(c.heard)-1].args
}
