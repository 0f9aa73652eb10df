// Package dialect has the words of the protocols that the load generator
// speaks inside WebSocket messages.
//
//	Socket.IO 5 over Engine.IO 4        centrifuge, JSON
//	<- 0{"sid":…}   open                (nothing)
//	-> 40                               -> {"connect":{},"id":1}
//	<- 40{"sid":…,"pid":…}              <- {"id":1,"connect":{…}}
//	-> 42N["join","room"]               -> {"subscribe":{"channel":"room"},"id":N+2}
//	<- 43N[]                            <- {"id":N+2,"subscribe":{}}
//	-> 42["say","room","payload"]       -> {"publish":{"channel":"room","data":"payload"},"id":N+2}
//	<- 42["msg","payload"]              <- {"push":{"channel":"room","pub":{"data":"payload"}}}
//	-> 42N["echo","payload"]            -> {"rpc":{"method":"echo","data":"payload"},"id":N+2}
//	<- 43N["payload"]                   <- {"id":N+2,"rpc":{"data":"payload"}}
//	<- 2, -> 3      heartbeat           <- {}, -> {}
//
// Of Socket.IO also how a client gets its session back: servers that offer it
// send a "pid" when a client connects, and with each message a string behind the
// payload, the offset. The client shows both: 40{"pid":…,"offset":…}.
//
// Payloads and rooms need no escaping in JSON: the generator makes them so.
package dialect

import "fmt"

// Kind says what a message from the server is.
type Kind uint8

const (
	Other     Kind = iota // nothing that a benchmark cares about
	Open                  // the server waits for the client's Hello
	Connected             // the client may send; Payload is its session's secret, if it has one
	Message               // Event.Payload was sent to a room of the client
	Ack                   // the answer to the request Event.ID, perhaps with Payload
	Ping                  // the client must answer with Event.Payload
	Refused               // the server refuses; Event.Payload says why
	Closed                // the server ends the session
	Bad                   // not a message of this dialect
)

// Event is one message from the server. Payload and Offset are part of the
// message.
type Event struct {
	Kind    Kind
	ID      uint32
	Payload []byte
	Offset  []byte // where a Message stands, for a client that comes back
}

// Verb says what a request is about.
type Verb uint8

const (
	Hello Verb = iota // connect to the main namespace, with Session if it is set
	Join              // become a member of Room; answered with an Ack
	Say               // have Payload sent to the members of Room
	Echo              // have Payload sent back in an Ack
)

// Request is what a client asks of the server. Nothing in it must need escaping
// in JSON.
type Request struct {
	Verb    Verb
	ID      uint32 // of Join and Echo: comes back in the Ack
	Room    string
	Payload []byte
	// Session is the secret of the session that the client wants back, Offset
	// that of the last message it got, perhaps none.
	Session, Offset []byte
}

// Dialect is one protocol. It holds no state: one value serves all
// connections.
type Dialect interface {
	// Append appends the message that carries r.
	Append(dst []byte, r Request) []byte
	// Parse reads the first event of a WebSocket message; rest is what follows
	// it in the same message.
	Parse(p []byte) (e Event, rest []byte)
}

// Name names a dialect.
type Name string

const (
	SocketIO   Name = "socketio"
	Centrifuge Name = "centrifuge"
)

// New returns the dialect of that name.
func New(n Name) (Dialect, error) {
	switch n {
	case SocketIO:
		return socketIO{}, nil
	case Centrifuge:
		return centrifuge{}, nil
	}
	return nil, fmt.Errorf("unknown protocol %q: want %s or %s", n, SocketIO, Centrifuge)
}

// ServerOpens reports whether a client waits for Open before its Hello.
func (n Name) ServerOpens() bool { return n == SocketIO }

// Target returns the path, with the query, that clients of this dialect ask
// for; path is what the user gave, perhaps empty.
func (n Name) Target(path string) string {
	if path == "/" {
		path = ""
	}
	if n == Centrifuge {
		if path == "" {
			path = "/connection/websocket"
		}
		return path
	}
	if path == "" {
		path = "/socket.io/"
	}
	return path + "?EIO=4&transport=websocket"
}
