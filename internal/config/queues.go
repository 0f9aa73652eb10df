package config

import "github.com/seed-09a96375/belfry/internal/serve"

const queuesOption = "serve.Options.Queues"

func queues(o *serve.Options) *list {
	return &list{"queues", "Where routes bring events of clients for backends: Redis Streams, see queues.md", queuesOption, func() []node {
		o.Queues = append(o.Queues, serve.Queue{})
		return queue(&o.Queues[len(o.Queues)-1])
	}}
}

func queue(q *serve.Queue) []node {
	nodes := nested(
		&setting{name: "name", value: text(&q.Name), example: "orders", option: "Name", usage: "what routes call it"},
		&setting{name: "key", value: text(&q.Key), example: "orders", option: "Key", usage: "key of the stream (default: redis.prefix and queue:{NAME})"},
		&setting{
			name: "groups", value: &texts{&q.Groups}, example: "backend", option: "Groups",
			usage: "consumer groups that are made if they are missing; what they have not acknowledged is not trimmed",
		},
		&setting{name: "window", value: duration(&q.Window), standard: "5m", option: "Window", usage: "how long ids of events, and answers, are remembered"},
		&setting{name: "key_window", value: duration(&q.KeyWindow), example: "24h", option: "KeyWindow", usage: "how long it is remembered which event was the last of a key (default: 24h, or window if that is longer)"},
		&setting{name: "wait", value: duration(&q.Wait), standard: "5s", option: "Wait", usage: "how long an event waits for a Redis that is away, until its ack is an error"},
		&setting{name: "dead", value: number(&q.MaxDead), standard: "100000", option: "MaxDead", usage: "dead letters that are kept, about; -1: all"},
		&setting{name: "length", value: number(&q.MaxLength), standard: "100000", option: "MaxLength", usage: "entries that are kept while there is no group"},
	)
	alarm := nested(
		&setting{name: "length", value: number(&q.Alarm.Length), standard: "100000", option: "Alarm.Length", usage: "more entries; -1: no alarm"},
		&setting{name: "age", value: duration(&q.Alarm.Age), standard: "5m", option: "Alarm.Age", usage: "an older one that a group has not acknowledged; -1s: no alarm"},
	)
	return append(nodes, &section{name: "alarm", usage: "What the log warns of. Nothing is dropped", nodes: alarm})
}
