package config

import "github.com/seed-09a96375/belfry/internal/route"

const (
	routesOption   = "route.Options.Routes"
	sourcesOption  = "route.Options.Sources"
	messagesOption = "route.Options.Messages"
)

// routes are what becomes of events of clients, and of what comes from other systems.
func routes(r *route.Options) []node {
	return []node{
		&list{"routes", "Where events of clients go, see routes.md. The first that fits counts", routesOption, func() []node {
			r.Routes = append(r.Routes, route.Route{})
			return routeSettings(&r.Routes[len(r.Routes)-1])
		}},
		&list{"sources", "What comes from other systems, and who gets it, see routes.md", sourcesOption, func() []node {
			r.Sources = append(r.Sources, route.Source{})
			return sourceSettings(&r.Sources[len(r.Sources)-1])
		}},
		&list{"messages", "What is kept of messages to rooms, whoever publishes them, see routes.md. For each room the first that fits counts", messagesOption, func() []node {
			r.Messages = append(r.Messages, route.Rule{})
			return ruleSettings(&r.Messages[len(r.Messages)-1])
		}},
	}
}

func routeSettings(r *route.Route) []node {
	nodes := nested(
		&setting{name: "event", value: text(&r.Event), example: "order.*", option: "Event", usage: "name of the events, or a pattern: * is any text"},
		&setting{name: "require", value: &texts{&r.Require}, example: "user", option: "Require", usage: "user: only users; publish: the grant for each room; nothing: every client (default: publish with rooms, else nothing)"},
		&setting{name: "queue", value: text(&r.Queue), example: "orders", option: "Queue", usage: "queue that they are appended to"},
		&setting{name: "webhook", value: text(&r.Webhook), example: "billing", option: "Webhook", usage: "webhook that gets them"},
		&setting{name: "kafka_topic", value: text(&r.Topic), example: "ORDERS", option: "Topic", usage: "topic of Kafka that they are appended to"},
		&setting{name: "archive", value: boolean(&r.Archive), example: "true", option: "Archive", usage: "they are kept in the archive, as the past of the first of rooms"},
		&setting{name: "key", value: text(&r.Key), example: "{user}", option: "Key", usage: "template: events with one key are handled in order"},
		&setting{name: "id", value: text(&r.ID), example: "{args.0.id|}", option: "ID", usage: "template: repetitions have the same (default: what the protocol of the client has for it, or none)"},
		&setting{name: "reply", value: boolean(&r.Reply), example: "true", option: "Reply", usage: "the client's ack is the answer of a backend"},
		&setting{name: "timeout", value: duration(&r.Timeout), standard: "10s", option: "Timeout", usage: "how long the client waits for it"},
	)
	nodes = append(nodes, emitSettings(&r.Emit, emitTexts{
		"that of the client's event", "those of the client's event", "chat:{args.0.room}", "{args.0.to}", "{args.0.text},{user}",
	})...)
	return append(nodes, nested(&setting{
		name: "except_sender", value: boolean(&r.ExceptSender), example: "true", option: "ExceptSender", usage: "the client that it came from does not get it",
	})...)
}

func ruleSettings(r *route.Rule) []node {
	return nested(
		&setting{name: "rooms", value: &texts{&r.Rooms}, example: "chat:*", option: "Rooms", usage: "names of rooms, or patterns: * is any text"},
		&setting{name: "events", value: &texts{&r.Events}, example: "said,order.*", option: "Events", usage: "names of events, or patterns (default: all)"},
		&setting{name: "kafka_topic", value: text(&r.Topic), example: "MESSAGES", option: "Topic", usage: "topic of Kafka that the messages are appended to"},
		&setting{name: "queue", value: text(&r.Queue), example: "orders", option: "Queue", usage: "queue that they are appended to"},
		&setting{name: "archive", value: boolean(&r.Archive), example: "true", option: "Archive", usage: "they are kept in the archive, as the past of the room"},
		&setting{name: "key", value: text(&r.Key), standard: "{room}", option: "Key", usage: "template: messages with one key stay in order"},
		&setting{name: "skip", value: boolean(&r.Skip), example: "true", option: "Skip", usage: "they are kept nowhere: for what a rule after this one would take"},
	)
}

// emitTexts are defaults and examples.
type emitTexts struct{ as, args, roomsExample, usersExample, argsExample string }

func emitSettings(e *route.Emit, t emitTexts) []node {
	return nested(
		&setting{name: "rooms", value: &texts{&e.Rooms}, example: t.roomsExample, option: "Rooms", usage: "templates: rooms that get it"},
		&setting{name: "users", value: &texts{&e.Users}, example: t.usersExample, option: "Users", usage: "templates: users that get it"},
		&setting{name: "as", value: text(&e.As), example: "message", option: "As", usage: "template: name of the event that they get (default: " + t.as + ")"},
		&setting{name: "args", value: &texts{&e.Args}, example: t.argsExample, option: "Args", usage: "templates: its arguments (default: " + t.args + ")"},
	)
}

func sourceSettings(s *route.Source) []node {
	nodes := nested(
		&setting{name: "name", value: text(&s.Name), example: "news", option: "Name", usage: "name of the source, of no other"},
		&setting{name: "redis_channel", value: text(&s.Channel), example: "NEWS", option: "Channel", usage: "channel to subscribe to; what is published while nobody subscribes is lost"},
		&setting{name: "redis_stream", value: text(&s.Stream), example: "NEWS", option: "Stream", usage: "or stream to read; nothing is lost"},
		&setting{name: "kafka_topic", value: text(&s.Topic), example: "NEWS", option: "Topic", usage: "or topic of Kafka; nothing is lost"},
		&setting{name: "group", value: text(&s.Group), standard: "belfry", option: "Group", usage: "consumer group of the stream or the topic, of these nodes alone"},
		&setting{name: "field", value: text(&s.Field), example: "message", option: "Field", usage: "field of the stream's entries that is {value} and {payload} (default: an object with all)"},
		&setting{name: "key_field", value: text(&s.KeyField), example: "customer", option: "KeyField", usage: "field of the stream's entries that is {key} (default: there is none)"},
		&setting{name: "dead", value: number(&s.MaxDead), example: "100000", option: "MaxDead", usage: "dead letters of a channel or a stream that are kept, about (default: 100000)"},
		&setting{name: "dead_topic", value: text(&s.DeadTopic), example: "NEWS.dead", option: "DeadTopic", usage: "topic for dead letters of a topic (default: its name and .dead)"},
		&setting{name: "lanes", value: number(&s.Lanes), example: "4", option: "Lanes", usage: "records of a partition of the topic that are published at a time, those of one key in order (default: 1, the partition in order)"},
		&setting{name: "new", value: boolean(&s.New), example: "true", option: "New", usage: "a new group begins at the end of the stream or the topic, not at its beginning"},
		&setting{name: "all", value: boolean(&s.All), example: "true", option: "All", usage: "every client gets it, in place of rooms and users"},
		&setting{name: "id", value: text(&s.ID), example: "{payload.id}", option: "ID", usage: "template: what has the same is published once (default, and where it is empty: the name of the entry)"},
	)
	return append(nodes, emitSettings(&s.Emit, emitTexts{
		"message", "{value}", "{payload.topic#/topic/}", "{payload.to}", "{payload.message}",
	})...)
}
