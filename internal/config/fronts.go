package config

import "github.com/seed-09a96375/belfry/internal/serve"

func stomp(o *serve.STOMP) []node {
	return []node{
		&setting{
			name: "path", flag: "stomp-path", value: frontPath(&o.Path), standard: "/stomp", option: "serve.Options.STOMP.Path",
			usage: "`path` of STOMP, and with /websocket behind it of SockJS clients; off: not served",
		},
		&setting{
			name: "subscriptions", value: number(&o.MaxSubscriptions), standard: "256", option: "stomp.Options.MaxSubscriptions",
			usage: "subscriptions that one client may have",
		},
		&setting{
			name: "unacked", value: number(&o.MaxUnacked), standard: "1000", option: "stomp.Options.MaxUnacked",
			usage: "messages that one client may leave unacknowledged, where its subscriptions want that",
		},
	}
}
