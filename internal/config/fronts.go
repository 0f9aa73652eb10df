package config

import "github.com/seed-09a96375/belfry/internal/serve"

func stompFront(o *serve.STOMP) []node {
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

func plainFronts(o *serve.Plain) []node {
	return []node{
		&setting{
			name: "websocket", flag: "ws-path", value: frontPath(&o.WebSocket), standard: "/ws", option: "serve.Options.Plain.WebSocket",
			usage: "`path` of JSON over WebSocket; off: not served",
		},
		&setting{
			name: "events", flag: "sse-path", value: frontPath(&o.Events), standard: "/sse", option: "serve.Options.Plain.Events",
			usage: "`path` of Server-Sent Events; off: not served",
		},
	}
}

func httpAPI(o *serve.API) []node {
	return []node{
		&setting{
			name: "off", flag: "api-off", value: boolean(&o.Off), standard: "false",
			usage: "leave it out",
		},
		&setting{
			name: "body", value: size(&o.MaxBody), standard: "1MiB", option: "httpapi.Options.MaxBody",
			usage: "largest body of a request",
		},
		&setting{
			name: "batch", value: number(&o.MaxBatch), standard: "1000", option: "httpapi.Options.MaxBatch",
			usage: "most messages of a batch",
		},
	}
}
