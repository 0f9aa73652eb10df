package main

import (
	"github.com/seed-09a96375/belfry/chaos/backend"
	"github.com/seed-09a96375/belfry/chaos/lab"
)

// subjects returns every kind of server, by name. node is the program of a Belfry
// node on the public API, belfry the product: two kinds of the same.
func subjects(node, belfry string) []lab.Subject {
	all := []lab.Subject{serves(belfry), {Name: "belfry", Promises: true, Log: "belfry:{0}:log", Command: func(l lab.Launch) []string {
		argv := []string{node, "-listen", l.Listen, "-redis", l.Redis, "-node", l.Name}
		switch l.Control {
		case lab.NoRecovery:
			argv = append(argv, "-recovery=false")
		case lab.NoTelling:
			argv = append(argv, "-ignore-losses")
		}
		return argv
	}}}
	for _, adapter := range []string{"classic", "sharded", "streams"} {
		log := ""
		if adapter == "streams" {
			log = "socket.io"
		}
		all = append(all, lab.Subject{
			Name: "node-" + adapter, Folder: "peers", Sticky: true, NoSentinel: true, Log: log,
			Command: func(l lab.Launch) []string {
				return []string{"node", "peers/server.js", "--listen", l.Listen, "--redis", l.Redis, "--adapter", adapter}
			},
		})
	}
	return all
}

// serves is belfry serve, as it comes.
func serves(belfry string) lab.Subject {
	return lab.Subject{Name: "belfry", Promises: true, Serves: true, Log: "belfry:{0}:log", Command: func(l lab.Launch) []string {
		file := "config/serve.yaml"
		if l.Control == lab.Channel {
			file = "config/channel.yaml"
		}
		return backend.Command(belfry, file)(l)
	}}
}
