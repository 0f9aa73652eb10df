package config

import "github.com/seed-09a96375/belfry/internal/serve"

// kafkaSettings say which Kafka.
func kafkaSettings(k *serve.Kafka) []node {
	return []node{
		&setting{
			name: "url", flag: "kafka", value: text(&k.URL), example: "kafka://10.0.0.7:9092", secret: true, option: "serve.Options.Kafka.URL",
			usage: "`URL` of it: kafka://user:password@host:9092, kafkas:// with TLS, ?addr=host:9092 for more brokers (default: none)",
		},
		&setting{
			name: "ca", value: text(&k.TLS.CA), example: "/etc/belfry/ca.pem",
			usage: "file with the authorities to trust for kafkas:// (default: those of the system)",
		},
		&setting{
			name: "cert", value: text(&k.TLS.Certificate), example: "/etc/belfry/kafka.pem",
			usage: "file with the certificate to show to it",
		},
		&setting{
			name: "key", value: text(&k.TLS.Key), example: "/etc/belfry/kafka-key.pem",
			usage: "file with its key",
		},
		&setting{
			name: "id_window", value: duration(&k.Window), standard: "5m", option: "serve.Options.Kafka.Window",
			usage: "how long a node remembers ids of events that it has appended",
		},
		&setting{
			name: "create_topics", value: boolean(&k.CreateTopics), standard: "false",
			usage: "make topics that are missing, with what the brokers have as defaults",
		},
	}
}
