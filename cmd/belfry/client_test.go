//go:build unix

package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// client is a raw Socket.IO client over WebSocket. It does what the official one
// does when a connection breaks: it connects again, with what it needs to go on.
type client struct {
	ws      *websocket.Conn
	id      string
	session string
	offset  string // of the last event
	acks    int
}

// event is what a client got.
type event struct {
	name string
	args []json.RawMessage // without the offset
}

// connect opens a connection and the socket on it. recovered says that the socket
// is the one that it was.
func (c *client) connect(ctx context.Context, url string) (recovered bool, missed []event, err error) {
	ws, _, err := websocket.Dial(ctx, url+"/socket.io/?EIO=4&transport=websocket", nil)
	if err != nil {
		return false, nil, err
	}
	ws.SetReadLimit(-1)
	c.ws = ws
	if _, err := c.read(ctx); err != nil { // the handshake
		return false, nil, err
	}
	if err := c.write(ctx, "40"+c.claim()); err != nil {
		return false, nil, err
	}
	for {
		p, err := c.read(ctx)
		if err != nil {
			return false, missed, err
		}
		if body, ok := strings.CutPrefix(p, "40"); ok {
			var hello struct{ SID, PID string }
			err := json.Unmarshal([]byte(body), &hello)
			recovered = hello.PID == c.session && hello.SID == c.id && c.id != ""
			c.id, c.session = hello.SID, hello.PID
			return recovered, missed, err
		}
		if e, ok := c.event(p); ok {
			missed = append(missed, e)
		}
	}
}

func (c *client) claim() string {
	if c.session == "" {
		return ""
	}
	claim := map[string]string{"pid": c.session}
	if c.offset != "" {
		claim["offset"] = c.offset
	}
	b, _ := json.Marshal(claim) // strings only
	return string(b)
}

// ask sends an event and returns its ack. Events that come before that are lost.
func (c *client) ask(ctx context.Context, name string, args ...any) (string, error) {
	c.acks++
	b, err := json.Marshal(append([]any{name}, args...))
	if err != nil {
		return "", err
	}
	if err := c.write(ctx, "42"+strconv.Itoa(c.acks)+string(b)); err != nil {
		return "", err
	}
	for {
		p, err := c.read(ctx)
		if err != nil {
			return "", err
		}
		if ack, ok := strings.CutPrefix(p, "43"+strconv.Itoa(c.acks)); ok {
			return ack, nil
		}
		c.event(p)
	}
}

// next returns the next event.
func (c *client) next(ctx context.Context) (event, error) {
	for {
		p, err := c.read(ctx)
		if err != nil {
			return event{}, err
		}
		if e, ok := c.event(p); ok {
			return e, nil
		}
	}
}

// event decodes a packet, if it is an event, and notes its offset.
func (c *client) event(p string) (e event, ok bool) {
	body, ok := strings.CutPrefix(p, "42")
	if !ok || json.Unmarshal([]byte(body), &e.args) != nil || json.Unmarshal(e.args[0], &e.name) != nil {
		return e, false
	}
	e.args = e.args[1:]
	if n := len(e.args); c.session != "" && n > 0 && json.Unmarshal(e.args[n-1], &c.offset) == nil {
		e.args = e.args[:n-1]
	}
	return e, true
}

// read returns the next packet; pings are answered.
func (c *client) read(ctx context.Context) (string, error) {
	for {
		_, p, err := c.ws.Read(ctx)
		if err != nil || string(p) != "2" {
			return string(p), err
		}
		if err := c.write(ctx, "3"); err != nil {
			return "", err
		}
	}
}

func (c *client) write(ctx context.Context, p string) error {
	return c.ws.Write(ctx, websocket.MessageText, []byte(p))
}

// join connects a client that is in a room, and closes it with the test.
func join(t testing.TB, url, room string) *client {
	t.Helper()
	ctx := within(t)
	c := &client{}
	if _, _, err := c.connect(ctx, url); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.ws.CloseNow() })
	if ack, err := c.ask(ctx, "join", room); err != nil || ack != "[]" {
		t.Fatalf("join is answered with %s %v", ack, err)
	}
	return c
}

// within is a context for what does not take long.
func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// account checks the numbered events of one client: each once, in order.
type account struct {
	last   int
	ended  bool
	faults []string
}

func (a *account) fault(format string, args ...any) {
	a.faults = append(a.faults, fmt.Sprintf(format, args...))
}

func (a *account) take(e event) {
	var number int
	switch {
	case len(e.args) != 1 || json.Unmarshal(e.args[0], &number) != nil:
		a.fault("event %s %s", e.name, e.args)
		return
	case number != a.last+1:
		a.fault("%d after %d", number, a.last)
	}
	a.last, a.ended = number, e.name == "end"
}

// follow reads numbered events up to the end, through all that happens to the
// connection: it goes to the nodes in turn, after a pause as the official client
// does.
func (c *client) follow(ctx context.Context, urls []string) (a account, recoveries int) {
	for !a.ended {
		e, err := c.next(ctx)
		if err == nil {
			a.take(e)
			continue
		}
		if !c.recover(ctx, urls, &a) {
			return a, recoveries
		}
		recoveries++
	}
	return a, recoveries
}

// recover connects again. It reports false if the client is not the same any more.
func (c *client) recover(ctx context.Context, urls []string, a *account) bool {
	for turn := 0; ctx.Err() == nil; turn++ {
		recovered, missed, err := c.connect(ctx, urls[turn%len(urls)])
		for _, e := range missed {
			a.take(e)
		}
		if err == nil && !recovered {
			a.fault("not recovered after %d", a.last)
		}
		if err == nil {
			return recovered
		}
		pause(ctx, 50*time.Millisecond)
	}
	a.fault("nothing after %d", a.last)
	return false
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func TestAccountFindsFaults(t *testing.T) {
	for name, numbers := range map[string][]int{"lost": {1, 3}, "doubled": {1, 1}, "swapped": {2, 1}} {
		var a account
		for _, n := range numbers {
			a.take(event{"n", []json.RawMessage{json.RawMessage(strconv.Itoa(n))}})
		}
		if len(a.faults) == 0 {
			t.Errorf("%s: not noticed", name)
		}
	}
}
