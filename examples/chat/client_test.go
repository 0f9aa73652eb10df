package chat_test

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
	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/examples/chat"
	"github.com/seed-09a96375/belfry/socketio"
)

const (
	patience = 10 * time.Second
	never    = time.Hour // longer than any test
)

// cluster starts nodes that serve the chat, and returns their addresses.
func cluster(t *testing.T, nodes int, o chat.Options) []string {
	t.Helper()
	bus := memory.New(memory.Options{Log: &memory.Log{}})
	urls := make([]string, nodes)
	for i := range urls {
		srv, err := socketio.New(socketio.Options{
			Bus: bus, Node: belfry.NodeID(fmt.Sprint("node-", i+1)), Recovery: &socketio.Recovery{},
		})
		if err != nil {
			t.Fatal(err)
		}
		room := chat.New(srv, o)
		web := httptest.NewServer(srv)
		urls[i] = web.URL
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			if err := srv.Close(ctx); err != nil {
				t.Errorf("close server: %v", err)
			}
			room.Close()
			web.Close()
		})
	}
	return urls
}

// client is a raw Socket.IO client over WebSocket.
type client struct {
	t       *testing.T
	ws      *websocket.Conn
	id      belfry.SocketID
	session string // what it can resume with
	offset  string // of the last event that it got
	lastAck int
	unread  []event
	lists   [][]chat.Person // every list of people so far
}

type event struct {
	name string
	arg  json.RawMessage
}

// connect opens a connection with that CONNECT payload, and the socket on it.
// Events that come before the answer to CONNECT are unread ones.
func connect(t *testing.T, url, auth string) *client {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, url+"/socket.io/?EIO=4&transport=websocket", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.CloseNow() })
	c := &client{t: t, ws: ws}
	c.read() // the handshake
	c.write("40" + auth)
	for {
		if hello, ok := strings.CutPrefix(c.take(), "40"); ok {
			var ids struct{ SID, PID string }
			c.decode(hello, &ids)
			c.id, c.session = belfry.SocketID(ids.SID), ids.PID
			return c
		}
	}
}

// join connects, joins the room and waits until it sees itself there.
func join(t *testing.T, url, name string) *client {
	t.Helper()
	c := connect(t, url, "")
	if answer := c.ask("join", map[string]string{"name": name}); strings.Contains(answer, "error") {
		t.Fatalf("join is answered with %s", answer)
	}
	c.waitPeople(func(list []chat.Person) bool { return slices.Contains(ids(list), c.id) })
	return c
}

// lose ends the connection as a broken network does.
func (c *client) lose() { _ = c.ws.CloseNow() }

// leave tells the server that the client goes.
func (c *client) leave() { c.write("41") }

// resume comes back, to any node, as the same client.
func (c *client) resume(url string) *client {
	c.t.Helper()
	auth, err := json.Marshal(map[string]string{"pid": c.session, "offset": c.offset})
	if err != nil {
		c.t.Fatal(err)
	}
	return connect(c.t, url, string(auth))
}

// ask sends an event and returns the arguments of the ack.
func (c *client) ask(name string, arg any) string {
	c.t.Helper()
	c.lastAck++
	args, err := json.Marshal([]any{name, arg})
	if err != nil {
		c.t.Fatal(err)
	}
	c.write(fmt.Sprintf("42%d%s", c.lastAck, args))
	for {
		if answer, ok := strings.CutPrefix(c.take(), fmt.Sprintf("43%d", c.lastAck)); ok {
			return answer
		}
	}
}

// next returns the argument of the next event of that name.
func (c *client) next(name string) json.RawMessage {
	c.t.Helper()
	for {
		i := slices.IndexFunc(c.unread, func(e event) bool { return e.name == name })
		if i >= 0 {
			arg := c.unread[i].arg
			c.unread = slices.Delete(c.unread, i, i+1)
			return arg
		}
		c.take()
	}
}

func (c *client) nextMessage() chat.Message {
	c.t.Helper()
	var m chat.Message
	c.decode(string(c.next("message")), &m)
	return m
}

// waitPeople reads lists until one is right, and returns it.
func (c *client) waitPeople(right func([]chat.Person) bool) []chat.Person {
	c.t.Helper()
	if n := len(c.lists); n > 0 && right(c.lists[n-1]) {
		return c.lists[n-1]
	}
	for {
		var list []chat.Person
		c.decode(string(c.next("people")), &list)
		if right(list) {
			return list
		}
	}
}

// waitNames waits for a list of exactly these names.
func (c *client) waitNames(want ...string) {
	c.t.Helper()
	c.waitPeople(func(list []chat.Person) bool { return slices.Equal(names(list), want) })
}

// take reads a packet, and keeps it if it is an event.
func (c *client) take() string {
	c.t.Helper()
	p := c.read()
	args, ok := strings.CutPrefix(p, "42")
	if !ok {
		return p
	}
	var array []json.RawMessage
	c.decode(args, &array)
	var e event
	c.decode(string(array[0]), &e.name)
	e.arg = array[1]
	if len(array) > 2 {
		c.decode(string(array[2]), &c.offset)
	}
	if e.name == "people" {
		var list []chat.Person
		c.decode(string(e.arg), &list)
		c.lists = append(c.lists, list)
	}
	c.unread = append(c.unread, e)
	return p
}

func (c *client) read() string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	_, p, err := c.ws.Read(ctx)
	if err != nil {
		c.t.Fatalf("read: %v; unread: %s; lists: %v", err, c.unread, c.lists)
	}
	return string(p)
}

func (c *client) write(packet string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	if err := c.ws.Write(ctx, websocket.MessageText, []byte(packet)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) decode(text string, v any) {
	c.t.Helper()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		c.t.Fatalf("decode %q: %v", text, err)
	}
}

func ids(list []chat.Person) (all []belfry.SocketID) {
	for _, p := range list {
		all = append(all, p.ID)
	}
	return all
}

func names(list []chat.Person) (all []string) {
	for _, p := range list {
		all = append(all, p.Name)
	}
	return all
}
