// Package socketiotest is a client for tests of applications of package socketio.
// It speaks Socket.IO over WebSocket packet by packet and shows what comes, also
// what official clients keep to themselves: the session that it can resume, and the
// offset of the last event.
//
// A Client belongs to one test and one goroutine. What goes wrong ends the test.
package socketiotest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/seed-09a96375/belfry"
)

// patience is how long a client waits for what has to come.
const patience = 20 * time.Second

// maxPacket is the largest packet that a client takes, bytes.
const maxPacket = 16 << 20

// Options of a Client.
type Options struct {
	// URL of the server, without a path.
	URL string
	// Auth is the payload of CONNECT, anything that has a JSON form. nil: none.
	Auth any
	// Ignore says which events the test does not want to see. nil: none.
	Ignore func(name string) bool
}

// Client is a socket on the main namespace, on a connection of its own.
type Client struct {
	ID      belfry.SocketID
	Session belfry.SessionID // what it can resume; empty: the server has no recovery
	Offset  belfry.Offset    // of the last event that it got
	Heard   []Event          // all events so far

	t      testing.TB
	o      Options
	ws     *websocket.Conn
	acks   int
	unread []int // of Heard: what Next and Wait have not returned
}

// Event is what the server has sent.
type Event struct {
	Name string
	Args []json.RawMessage // with recovery the offset is the last one
}

// Connect opens a connection, and the socket on it. The test closes it in the end.
func Connect(t testing.TB, o Options) *Client {
	t.Helper()
	return connect(t, o, "")
}

func connect(t testing.TB, o Options, resumes belfry.SessionID) *Client {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, o.URL+"/socket.io/?EIO=4&transport=websocket", nil)
	if err != nil {
		t.Fatal(err)
	}
	ws.SetReadLimit(maxPacket)
	t.Cleanup(func() { _ = ws.CloseNow() })
	c := &Client{Session: resumes, t: t, o: o, ws: ws}
	c.read() // the handshake
	c.Write("40" + c.payload(o.Auth))
	c.hello()
	return c
}

// hello reads the answer to CONNECT. Events of a session that is resumed come
// first.
func (c *Client) hello() {
	c.t.Helper()
	for {
		if hello, ok := strings.CutPrefix(c.Take(), "40"); ok {
			var ids struct {
				SID belfry.SocketID
				PID belfry.SessionID
			}
			c.Decode([]byte(hello), &ids)
			c.ID, c.Session = ids.SID, ids.PID
			return
		}
	}
}

func (c *Client) payload(auth any) string {
	c.t.Helper()
	if auth == nil {
		return ""
	}
	text, err := json.Marshal(auth)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(text)
}

// Lose ends the connection as a broken network does.
func (c *Client) Lose() { _ = c.ws.CloseNow() }

// Leave tells the server that the client goes.
func (c *Client) Leave() { c.Write("41") }

// Resume comes back as the same client, at a server that may be another one.
func (c *Client) Resume(url string) *Client {
	c.t.Helper()
	o := c.o
	o.URL, o.Auth = url, map[string]any{"pid": c.Session, "offset": c.Offset}
	return connect(c.t, o, c.Session)
}

// Ask sends an event and returns the arguments of its ack.
func (c *Client) Ask(name string, args ...any) []json.RawMessage {
	c.t.Helper()
	c.Send(name, args...)
	return c.Answer()
}

// Send sends an event that wants an ack.
func (c *Client) Send(name string, args ...any) {
	c.t.Helper()
	c.acks++
	packet, err := json.Marshal(append([]any{name}, args...))
	if err != nil {
		c.t.Fatal(err)
	}
	c.Write(fmt.Sprintf("42%d%s", c.acks, packet))
}

// Answer returns the arguments of the ack of what was sent last.
func (c *Client) Answer() (args []json.RawMessage) {
	c.t.Helper()
	for {
		if answer, ok := strings.CutPrefix(c.Take(), fmt.Sprintf("43%d", c.acks)); ok {
			c.Decode([]byte(answer), &args)
			return args
		}
	}
}

// Refusal returns the message of the error that args, those of an ack, tell; empty
// if they tell none.
func (c *Client) Refusal(args []json.RawMessage) string {
	c.t.Helper()
	var refused struct{ Error struct{ Message string } }
	if len(args) == 0 || json.Unmarshal(args[0], &refused) != nil {
		return ""
	}
	return refused.Error.Message
}

// Next returns the first unread event of that name. Those before it stay unread.
func (c *Client) Next(name string) Event {
	c.t.Helper()
	i := c.find(func(e Event) bool { return e.Name == name })
	return c.returned(i, i)
}

// Wait returns the first unread event that is right. Those before it are read then.
func (c *Client) Wait(right func(Event) bool) Event {
	c.t.Helper()
	return c.returned(0, c.find(right))
}

// find returns the place in unread of an event that is right, once it is there.
func (c *Client) find(right func(Event) bool) int {
	c.t.Helper()
	for looked := 0; ; c.Take() {
		for ; looked < len(c.unread); looked++ {
			if right(c.Heard[c.unread[looked]]) {
				return looked
			}
		}
	}
}

func (c *Client) returned(from, i int) Event {
	e := c.Heard[c.unread[i]]
	c.unread = slices.Delete(c.unread, from, i+1)
	return e
}

// Rewind makes all that was heard unread.
func (c *Client) Rewind() {
	c.unread = c.unread[:0]
	for i := range c.Heard {
		c.unread = append(c.unread, i)
	}
}

// Take reads a packet, and notes it if it is an event.
func (c *Client) Take() string {
	c.t.Helper()
	p := c.read()
	if packet, ok := strings.CutPrefix(p, "42"); ok {
		c.hear(packet)
	}
	return p
}

func (c *Client) hear(packet string) {
	c.t.Helper()
	var array []json.RawMessage
	c.Decode([]byte(strings.TrimLeft(packet, "0123456789")), &array)
	e := Event{Args: array[1:]}
	c.Decode(array[0], &e.Name)
	var offset belfry.Offset
	if n := len(e.Args); n > 0 && c.Session != "" && json.Unmarshal(e.Args[n-1], &offset) == nil {
		c.Offset = offset // as official clients do
	}
	if c.o.Ignore != nil && c.o.Ignore(e.Name) {
		return
	}
	c.unread = append(c.unread, len(c.Heard))
	c.Heard = append(c.Heard, e)
}

// read returns the next packet that is no ping.
func (c *Client) read() string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	for {
		_, p, err := c.ws.Read(ctx)
		if err != nil {
			c.t.Fatalf("read: %v; heard: %s", err, c.Heard)
		}
		if string(p) != "2" {
			return string(p)
		}
		c.Write("3")
	}
}

// Write sends a packet of Engine.IO.
func (c *Client) Write(packet string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	if err := c.ws.Write(ctx, websocket.MessageText, []byte(packet)); err != nil {
		c.t.Fatal(err)
	}
}

// Decode reads JSON.
func (c *Client) Decode(text []byte, v any) {
	c.t.Helper()
	if err := json.Unmarshal(text, v); err != nil {
		c.t.Fatalf("decode %q: %v", text, err)
	}
}

// String is the event as a test may print it.
func (e Event) String() string { return fmt.Sprintf("%s%s", e.Name, e.Args) }
