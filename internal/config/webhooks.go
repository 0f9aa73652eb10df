package config

import "github.com/seed-09a96375/belfry/queue/webhook"

const webhooksOption = "serve.Options.Webhooks"

// webhooks are URLs that get events of clients.
func webhooks(all *[]webhook.Options) *list {
	return &list{"webhooks", "URLs that get events of clients, signed, see webhooks.md", webhooksOption, func() []node {
		*all = append(*all, webhook.Options{})
		return webhookSettings(&(*all)[len(*all)-1])
	}}
}

func webhookSettings(w *webhook.Options) []node {
	return nested(
		&setting{name: "name", value: text(&w.Name), example: "billing", option: "Name", usage: "what routes call it"},
		&setting{name: "queue", value: text(&w.Queue), example: "orders", option: "Queue", usage: "queue whose events are sent (default: one of its own)"},
		&setting{name: "group", value: text(&w.Group), option: "Group", usage: "consumer group in the queue (default: webhook:NAME)"},
		&setting{name: "url", value: text(&w.URL), example: "https://backend.example.com/events", secret: true, option: "URL", usage: "gets a POST for each event"},
		&setting{name: "insecure", value: boolean(&w.Insecure), example: "true", option: "Insecure", usage: "the URL may be http:// to another machine"},
		&setting{name: "secret", value: text(&w.Secret), secret: true, example: "file:/run/secrets/billing", option: "Secret", usage: "signs the requests; make one with: openssl rand -base64 32"},
		&setting{name: "old_secret", value: text(&w.OldSecret), secret: true, option: "OldSecret", usage: "signs them, too, while receivers change to a new one"},
		&setting{name: "headers", value: &pairs{&w.Headers}, secret: true, example: "Authorization: file:/run/secrets/billing-token", option: "Headers", usage: "headers of the requests"},
		&setting{name: "ca", value: text(&w.CA), file: true, example: "/etc/belfry/ca.pem", option: "CA", usage: "file with the authorities to trust (default: those of the system)"},
		&setting{name: "timeout", value: duration(&w.Timeout), standard: "15s", option: "Timeout", usage: "of a request"},
		&setting{name: "concurrent", value: number(&w.Concurrency), standard: "16", option: "Concurrency", usage: "requests of a node under way at once"},
		&setting{name: "waiting", value: number(&w.Waiting), example: "1000", option: "Waiting", usage: "events that a node takes from the queue at a time: under way, or waiting for their turn or another try (default: 1000, or concurrent if that is more)"},
		&setting{name: "reclaim", value: duration(&w.ReclaimAfter), standard: "1m", option: "ReclaimAfter", usage: "how long a node may give no sign of life until others send what it had taken"},
		&setting{name: "answer", value: size(&w.MaxAnswer), standard: "64KiB", option: "MaxAnswer", usage: "largest answer"},
		&setting{name: "tries", value: number(&w.MaxTries), standard: "-1", option: "MaxTries", usage: "requests until an event is a dead letter; -1: no bound"},
		&setting{name: "age", value: duration(&w.MaxAge), standard: "24h", option: "MaxAge", usage: "age at which an event that cannot be delivered is a dead letter; -1s: no bound"},
		&setting{name: "backoff", value: duration(&w.Backoff), standard: "1s", option: "Backoff", usage: "time to the second request; it doubles with each"},
		&setting{name: "max_backoff", value: duration(&w.MaxBackoff), standard: "10m", option: "MaxBackoff", usage: "longest time between requests"},
	)
}
