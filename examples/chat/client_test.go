package chat_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/examples/chat"
	"github.com/seed-09a96375/belfry/socketio"
	"github.com/seed-09a96375/belfry/socketio/socketiotest"
)

const (
	patience = 30 * time.Second
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

// client is somebody in the chat.
type client struct {
	*socketiotest.Client
	t *testing.T
}

func connect(t *testing.T, url string) *client {
	t.Helper()
	return &client{socketiotest.Connect(t, socketiotest.Options{URL: url}), t}
}

// join connects, joins the room and waits until it sees itself there.
func join(t *testing.T, url, name string) *client {
	t.Helper()
	c := connect(t, url)
	if answer := c.ask("join", map[string]string{"name": name}); strings.Contains(answer, "error") {
		t.Fatalf("join is answered with %s", answer)
	}
	c.waitPeople(func(list []chat.Person) bool { return slices.Contains(ids(list), c.ID) })
	return c
}

// resume comes back, to any node, as the same client.
func (c *client) resume(url string) *client { return &client{c.Resume(url), c.t} }

// ask sends an event and returns the arguments of the ack.
func (c *client) ask(name string, arg any) string {
	c.t.Helper()
	return fmt.Sprintf("%s", c.Ask(name, arg))
}

func (c *client) nextMessage() chat.Message {
	c.t.Helper()
	var m chat.Message
	c.Decode(c.Next("message").Args[0], &m)
	return m
}

// waitPeople reads lists until one is right, and returns it.
func (c *client) waitPeople(right func([]chat.Person) bool) []chat.Person {
	c.t.Helper()
	if lists := c.lists(); len(lists) > 0 && right(lists[len(lists)-1]) {
		return lists[len(lists)-1]
	}
	for {
		var list []chat.Person
		c.Decode(c.Next("people").Args[0], &list)
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

func (c *client) heard(name string) bool {
	return slices.ContainsFunc(c.Heard, func(e socketiotest.Event) bool { return e.Name == name })
}

// lists are all lists of people so far.
func (c *client) lists() (all [][]chat.Person) {
	c.t.Helper()
	for _, e := range c.Heard {
		if e.Name == "people" {
			var list []chat.Person
			c.Decode(e.Args[0], &list)
			all = append(all, list)
		}
	}
	return all
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
