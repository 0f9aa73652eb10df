package config

import "github.com/seed-09a96375/belfry/internal/serve"

// metricsSettings say where Prometheus reads.
func metricsSettings(o *serve.Metrics) []node {
	return []node{
		&setting{
			name: "listen", flag: "metrics-listen", value: text(&o.Listen), example: "10.0.0.3:9464", option: "serve.Options.Metrics.Listen",
			usage: "`address` of their own, without keys, for those who can reach it (default: /metrics on --listen, for who shows a key)",
		},
	}
}
