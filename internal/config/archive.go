package config

import "github.com/seed-09a96375/belfry/internal/serve"

// archiveSettings say where the past of rooms is.
func archiveSettings(a *serve.Archive) []node {
	return []node{
		&setting{
			name: "sqlite", value: text(&a.SQLite), example: "/var/lib/belfry/messages.db", option: "serve.Options.Archive.SQLite",
			usage: "file of it, for the nodes of one machine",
		},
		&setting{
			name: "postgres", value: text(&a.Postgres), example: "postgres://belfry@10.0.0.6/chat", secret: true, option: "serve.Options.Archive.Postgres",
			usage: "or URL of a database",
		},
		&setting{
			name: "schema", value: text(&a.Schema), example: "public", option: "serve.Options.Archive.Schema",
			usage: "schema of the tables in the database (default: public)",
		},
		&setting{
			name: "table", value: text(&a.Table), example: "messages", option: "serve.Options.Archive.Table",
			usage: "name of the table of messages in the database, and what the others begin with (default: messages)",
		},
		&setting{
			name: "retention", value: duration(&a.Retention), standard: "0s", option: "serve.Options.Archive.Retention",
			usage: "how long messages are kept; 0: for ever",
		},
		&setting{
			name: "delay", value: duration(&a.Delay), standard: "10s", option: "serve.Options.Archive.Delay",
			usage: "how far behind the archive may be; a page of history holds nothing newer, and names the offset to join the room with",
		},
	}
}
