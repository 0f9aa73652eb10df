// Package orders takes orders, tests and greetings of STOMP clients to whichever
// backend is free, and shows who has handled what. Nearly all of it is configuration,
// belfry.yaml; what is here are the backends, the page, and POST /api/notification.
//
//	a client sends to  it goes to                          and comes back to
//	/app/test          stream TEST_EVENT_TO_BACKEND,       /topic/handled: which backend had it
//	                   one consumer of CONSUMER_GROUP
//	/app/order         the same                            /user/queue/order: the answer, to
//	                                                       that client; /topic/handled
//	/app/greet         stream GREETING_CHANNEL_OUTBOUND,   /topic/greetings, by stream or channel
//	                   one consumer of CONSUMER_GROUP      GREETING_CHANNEL_INBOUND
//
//	others send to                                  clients that get it
//	POST /api/notification {topic, message}         of the topic, on all nodes
//	BROADCAST-CHANNEL, stream or channel            of its topic
//	TEST_EVENT_TO_WEBSOCKET_SERVER, a stream        of its topic: /topic/to-frontend has the
//	                                                backends' signs of life
//
// backend is a backend in Go with package client, backend.py one in Python that knows
// Redis alone. Any number of each share the work.
package orders

import (
	_ "embed" // of belfry.yaml
	"slices"

	"github.com/seed-09a96375/belfry"
)

// Config is belfry.yaml: the configuration of a node.
//
//go:embed belfry.yaml
var Config []byte

// Names in Redis. The queues are keys, as package client wants them.
const (
	Events    = "key:TEST_EVENT_TO_BACKEND"
	Greetings = "key:GREETING_CHANNEL_OUTBOUND"
	Group     = "CONSUMER_GROUP"
)

// Rooms that clients watch: NAME is /topic/NAME.
const (
	RoomAlive     = "to-frontend" // signs of life of backends
	RoomHandled   = "handled"     // what backends have done
	RoomGreetings = "greetings"
	RoomToast     = "toast" // notifications
)

// Watched tells which rooms clients may be in.
func Watched(room belfry.Room) bool {
	return slices.Contains([]belfry.Room{RoomAlive, RoomHandled, RoomGreetings, RoomToast}, room)
}
