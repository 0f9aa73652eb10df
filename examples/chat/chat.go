// Package chat is a chat with rooms on any number of nodes that keeps what was said:
// a small application of package socketio that can be read in one sitting.
//
//	event          payload                          direction            ack
//	join           {"name","room"}                  client               {"id","name","room","now"}
//	event:message  "text" or {"text","id"}          client               {"id","time"}
//	typing         -                                client               -
//	history        {"before","limit"}               client               {"messages","next"}
//	message        {"id","room","from":{"id",       to the room, on      -
//	               "name"},"text","time"}           all nodes
//	event:listen   "text", message                  to all who have      -
//	                                                not joined
//	stored         {"ids"}                          to the room          -
//	typing         {"id","name"}                    to the others        -
//	people         [{"id","name","node"},…]         to the room          -
//
// A client connects, sends join, and from then on gets every message of its room and,
// after each change, the list of all who are there. A client that does not join hears
// and speaks in the lobby, as a guest, with texts alone. Times are in ms since 1970. An
// event that is refused is acked with {"error":{"message":"…"}}.
//
//	client ── event:message ──▶ node ──▶ bus ──▶ message, in all nodes
//	   ◀── ack: delivered ──────  └────▶ queue ──▶ archive ──▶ a row ──▶ stored
//
// The node that has the client is the only one that puts the message into the queue. So
// a message is one row, however many nodes and clients hear it. The ack comes when both
// the bus and the queue have it. Until then a client sends it again, to any node, with
// the same id: see say.go. What a page of the past shows joins what comes live: see
// history.go.
//
// With recovery (socketio.Options.Recovery) a client that lost its connection
// comes back as the same person and gets the messages that it missed; it need
// not join again. See people.go for how the others see that.
package chat

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/archive"
	"github.com/seed-09a96375/belfry/engineio"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/socketio"
)

const (
	maxName = 32    // characters of a name
	maxText = 2_000 // characters of a message
)

// Person is someone in a room.
type Person struct {
	ID   belfry.SocketID `json:"id"`
	Name string          `json:"name"`
	// Node is where the person is connected; in the list of people only.
	Node belfry.NodeID `json:"node,omitempty"`
}

// profile is what the server keeps with a socket of someone who has joined.
type profile struct {
	Name string `json:"name"`
	Room string `json:"room"`
}

// Chat serves the rooms on one node. Every node of the cluster has its own.
type Chat struct {
	opts   Options
	server *socketio.Server
	space  *hub.Space
	past   past
	people *people
}

// Options of a Chat. The zero value is ready for use: nothing is kept.
type Options struct {
	// Grace is how long someone whose connection was lost stays in the list of
	// people. Default 5 s.
	Grace time.Duration
	// Queue is where messages wait for the archive. nil: they are not kept.
	Queue belfry.Queue
	// Archive reads what was kept. nil: the past is what the log of the bus has.
	Archive *archive.Reader
	// Logger gets what goes wrong away from any client. Default slog.Default().
	Logger *slog.Logger
}

// New registers the chat's events on the main namespace of srv. The caller closes
// the Chat after srv.
func New(srv *socketio.Server, o Options) *Chat {
	if o.Grace == 0 {
		o.Grace = 5 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	space := srv.Hub().Space("/", hub.Hooks{})
	c := &Chat{opts: o, server: srv, space: space, past: newPast(srv.Hub(), o.Archive), people: newPeople(srv, o.Grace)}
	socketio.OnAck(srv, "join", c.join)
	socketio.OnAck(srv, "event:message", c.say)
	socketio.OnAck(srv, "history", c.history)
	socketio.On(srv, "typing", c.typing)
	srv.OnConnect(c.connected)
	srv.OnDisconnect(c.disconnected)
	return c
}

// Close ends the Chat's own work. It does not close the server.
func (c *Chat) Close() { c.people.close() }

// joined answers join. Now is the clock of the server, which ids are made with.
type joined struct {
	Person
	Room string `json:"room"`
	Now  int64  `json:"now"`
}

// join puts a client into a room, the lobby if it names none, and out of the one in
// which it was.
func (c *Chat) join(_ context.Context, s *socketio.Socket, in profile) (joined, error) {
	name, err := cleanName(in.Name)
	if err != nil {
		return joined{}, err
	}
	room, err := cleanRoom(in.Room)
	if err != nil {
		return joined{}, err
	}
	before, _ := socketio.Data[profile](s)
	s.SetData(profile{Name: name, Room: room})
	if err := s.Join(roomOf(room)); err != nil {
		s.SetData(before)
		return joined{}, err
	}
	s.Leave(listeners)
	if before.Room != "" && before.Room != room {
		s.Leave(roomOf(before.Room))
		c.people.changed(roomOf(before.Room), s.ID())
	}
	c.people.changed(roomOf(room))
	return joined{Person{ID: s.ID(), Name: name}, room, time.Now().UnixMilli()}, nil
}

// typing tells the others, now or never.
func (c *Chat) typing(ctx context.Context, s *socketio.Socket, _ socketio.None) error {
	me, room, err := whois(s)
	if err != nil {
		return err
	}
	return s.To(roomOf(room)).Volatile().Emit(ctx, "typing", me)
}

func (c *Chat) connected(_ context.Context, s *socketio.Socket) {
	_, room, err := whois(s)
	switch {
	case err != nil:
		if err := s.Join(listeners); err != nil {
			c.opts.Logger.Warn("chat: a client cannot listen", "client", s.ID(), "err", err)
		}
	case s.Recovered():
		c.people.changed(roomOf(room)) // it missed the lists that went out meanwhile
	}
}

func (c *Chat) disconnected(s *socketio.Socket, reason socketio.Reason) {
	_, room, err := whois(s)
	if err != nil {
		return
	}
	switch reason {
	case socketio.ReasonClientDisconnect, socketio.ReasonServerDisconnect, engineio.ReasonParseError:
		c.people.changed(roomOf(room), s.ID()) // will not come back
	default:
		c.people.changed(roomOf(room))
	}
}

var errNotJoined = errors.New("join first")

// whois returns who a client is, and its room.
func whois(s *socketio.Socket) (who Person, room string, err error) {
	p, ok := socketio.Data[profile](s)
	if !ok || p.Name == "" {
		return Person{}, "", errNotJoined
	}
	return Person{ID: s.ID(), Name: p.Name}, p.Room, nil
}
