package route

import (
	"log/slog"
	"slices"
	"time"
)

// Options of a Router. The zero value routes nothing.
type Options struct {
	// Routes take events of clients. The first that fits counts.
	Routes []Route
	// Sources take records of other systems.
	Sources []Source
	// Messages say what is kept of messages to rooms.
	Messages []Rule
	// Queues and Webhooks are the names that routes and rules may use.
	Queues, Webhooks []string
	// Logger gets what goes wrong away from any client. Default slog.Default().
	Logger *slog.Logger
}

// Route says where events of clients go: to rooms and users, to a queue, to a
// webhook, to a topic; to all that it names, in this order.
type Route struct {
	// Namespace of the events. Default "/".
	Namespace string
	// Event is their name, or a pattern: * is any text. Required.
	Event string
	// Require says who may: see the constants. Default: the grant publish where the
	// route has Rooms, else every client.
	Require []string
	// Queue and Webhook name where the events are appended.
	Queue, Webhook string
	// Topic is the topic of Kafka that the events are appended to. It has no answers.
	Topic string
	// Archive keeps the events, as the past of the first of Rooms.
	Archive bool
	// Key and ID are templates of Event.Key and Event.ID. Without ID the client's
	// own counts, or a random one.
	Key, ID string
	// Reply has the client's ack wait for the answer of a backend.
	Reply bool
	// Timeout bounds that. Default 10 s.
	Timeout time.Duration
	// Emit says to whom it is sent as an event. Users need a Require.
	Emit
	// ExceptSender leaves out the client that it came from.
	ExceptSender bool
}

// Emit says which members of a namespace get what. All texts are templates.
type Emit struct {
	// Rooms and Users get it, each member once. A template that stands for an array
	// names several.
	Rooms, Users []string
	// As is the name of the event. Default: that of the client's; "message" for
	// records.
	As string
	// Args are its arguments. A template that is one field keeps the type of its
	// value; any other is a string. Default: those of the client's event; for
	// records {value}. They are what a queue and a webhook get, too.
	Args []string
}

// What Route.Require may hold.
const (
	RequireUser    = "user"    // clients that are a user
	RequirePublish = "publish" // clients with the grant publish for each room it is sent to
	RequireNothing = "nothing" // every client, alone
)

// Source says what becomes of the records of a source.
type Source struct {
	// Name is that of the source. Required.
	Name string
	// Namespace of the members that get them. Default "/".
	Namespace string
	// Emit says who gets what. Required are Rooms, Users or All.
	Emit
	// All has every member of the namespace get them.
	All bool
	// ID is the template of what makes publishing idempotent. Default, and where it is
	// empty for a record: what the source itself names the record by.
	ID string
	// Channel, Stream or Topic says which it is: a channel of Redis, a stream, or a
	// topic of Kafka.
	Channel, Stream, Topic string
	// Group is the consumer group of a Stream or a Topic. Default "belfry".
	Group string
	// New has a Group that is made for the first time begin at the end of its Stream or
	// Topic. Default: at the beginning.
	New bool
	// KeyField of a Stream is the one with the record's key, for templates. Default:
	// there are no keys.
	KeyField string
	// MaxDead is about how many dead letters of a Channel or a Stream are kept; see
	// redisstream.Options.
	MaxDead int
	// DeadTopic is where those of a Topic go; see kafka.Options. Default: the Topic and
	// ".dead".
	DeadTopic string
	// Lanes is how many records of a partition of a Topic are published at a time; see
	// kafka.Options. Default 1.
	Lanes int
	// Field of a Stream is the one with the record's value. Default: the value is
	// an object with all fields.
	Field string
}

const (
	maxName = 200 // bytes of a room, an event or a key
	// MaxTimeout is the longest Route.Timeout: what a queue keeps answers for.
	MaxTimeout = 5 * time.Minute
)

// What fields of templates begin with. A dot wants a path, a star allows one.
var (
	routeRoots  = []string{"args*", "user", "socket", "event", "namespace", "id"}
	ruleRoots   = []string{"room", "event", "args*", "user", "socket", "id"}
	sourceRoots = []string{"value", "payload*", "key", "id", "meta.", "source"}
) // never changed

func (o Options) withDefaults() Options {
	o.Routes, o.Sources = slices.Clone(o.Routes), slices.Clone(o.Sources)
	for i := range o.Routes {
		setDefault(&o.Routes[i].Namespace, "/")
		setDefault(&o.Routes[i].Timeout, 10*time.Second)
	}
	for i := range o.Sources {
		s := &o.Sources[i]
		setDefault(&s.Namespace, "/")
		setDefault(&s.As, "message")
		setDefault(&s.Group, "belfry")
		if s.Args == nil {
			s.Args = []string{"{value}"}
		}
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

func setDefault[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}

// Validate names the options that cannot work, all of them.
func (o Options) Validate() error {
	_, err := compile(o.withDefaults())
	return err
}
