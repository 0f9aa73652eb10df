// Package chat is a chat room on any number of nodes: a small application of
// package socketio that can be read in one sitting.
//
//	event    payload                           direction               ack
//	join     {"name"}                          client                  {"id","name"}
//	say      {"text"}                          client                  {"time"}
//	typing   -                                 client                  -
//	message  {"from":{"id","name"},"text",     to the room, on         -
//	          "time"}                          all nodes
//	typing   {"id","name"}                     to the others           -
//	people   [{"id","name","node"},…]          to the room             -
//
// A client connects, sends join, and from then on gets every message and, after
// each change, the list of all who are in the room. Times are in ms since 1970.
// An event that is refused is acked with {"error":{"message":"…"}}.
//
// With recovery (socketio.Options.Recovery) a client that lost its connection
// comes back as the same person and gets the messages that it missed; it need
// not join again. See people.go for how the others see that.
package chat

import (
	"context"
	"errors"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/engineio"
	"github.com/seed-09a96375/belfry/socketio"
)

// room is where everyone is. The last argument of each event that goes there is
// an object or a list: Socket.IO clients take a string there for an offset.
const room belfry.Room = "chat"

const (
	maxName = 32    // characters of a name
	maxText = 2_000 // characters of a message
)

// Person is someone in the room.
type Person struct {
	ID   belfry.SocketID `json:"id"`
	Name string          `json:"name"`
	// Node is where the person is connected; in the list of people only.
	Node belfry.NodeID `json:"node,omitempty"`
}

// Message is something that was said.
type Message struct {
	From Person `json:"from"`
	Text string `json:"text"`
	Time int64  `json:"time"`
}

// profile is what the server keeps with a socket of someone who has joined.
type profile struct {
	Name string `json:"name"`
}

// Chat serves the room on one node. Every node of the cluster has its own.
type Chat struct {
	server *socketio.Server
	people *people
}

// Options of a Chat. The zero value is ready for use.
type Options struct {
	// Grace is how long someone whose connection was lost stays in the list of
	// people. Default 5 s.
	Grace time.Duration
}

// New registers the chat's events on the main namespace of srv. The caller closes
// the Chat after srv.
func New(srv *socketio.Server, o Options) *Chat {
	if o.Grace == 0 {
		o.Grace = 5 * time.Second
	}
	c := &Chat{server: srv, people: newPeople(srv, o.Grace)}
	socketio.OnAck(srv, "join", c.join)
	socketio.OnAck(srv, "say", c.say)
	socketio.On(srv, "typing", c.typing)
	srv.OnConnect(c.connected)
	srv.OnDisconnect(c.disconnected)
	return c
}

// Close ends the Chat's own work. It does not close the server.
func (c *Chat) Close() { c.people.close() }

func (c *Chat) join(_ context.Context, s *socketio.Socket, in profile) (Person, error) {
	name, err := cleanName(in.Name)
	if err != nil {
		return Person{}, err
	}
	s.SetData(profile{Name: name})
	if err := s.Join(room); err != nil {
		return Person{}, err
	}
	c.people.changed()
	return Person{ID: s.ID(), Name: name}, nil
}

// receipt answers say.
type receipt struct {
	Time int64 `json:"time"`
}

func (c *Chat) say(ctx context.Context, s *socketio.Socket, in struct{ Text string }) (receipt, error) {
	me, err := whois(s)
	if err != nil {
		return receipt{}, err
	}
	text, err := clean("the message", in.Text, maxText)
	if err != nil {
		return receipt{}, err
	}
	now := time.Now().UnixMilli()
	err = c.server.To(room).Emit(ctx, "message", Message{From: me, Text: text, Time: now})
	return receipt{Time: now}, err
}

// typing tells the others, now or never.
func (c *Chat) typing(ctx context.Context, s *socketio.Socket, _ socketio.None) error {
	me, err := whois(s)
	if err != nil {
		return err
	}
	return s.To(room).Volatile().Emit(ctx, "typing", me)
}

func (c *Chat) connected(_ context.Context, s *socketio.Socket) {
	if s.Recovered() {
		c.people.changed() // it missed the lists that went out meanwhile
	}
}

func (c *Chat) disconnected(s *socketio.Socket, reason socketio.Reason) {
	if _, err := whois(s); err != nil {
		return
	}
	switch reason {
	case socketio.ReasonClientDisconnect, socketio.ReasonServerDisconnect, engineio.ReasonParseError:
		c.people.changed(s.ID()) // will not come back
	default:
		c.people.changed()
	}
}

var errNotJoined = errors.New("join first")

func whois(s *socketio.Socket) (Person, error) {
	p, ok := socketio.Data[profile](s)
	if !ok {
		return Person{}, errNotJoined
	}
	return Person{ID: s.ID(), Name: p.Name}, nil
}
