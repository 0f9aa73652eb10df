package metrics

import (
	"fmt"
	"io"
	"strings"
)

// WriteReference writes docs/metrics.md.
func WriteReference(w io.Writer) error {
	var b strings.Builder
	b.WriteString(referenceHead)
	for _, s := range Sections() {
		fmt.Fprintf(&b, "\n## %s\n\n", s.title)
		if s.about != "" {
			fmt.Fprintf(&b, "%s\n\n", s.about)
		}
		b.WriteString("| metric | labels | | alarm, and what to do |\n|---|---|---|---|\n")
		for _, f := range s.families {
			b.WriteString(f.row())
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (f *Family) row() string {
	labels := ""
	if len(f.labels) > 0 {
		labels = "`" + strings.Join(f.labels, "`, `") + "`"
	}
	cell := strings.NewReplacer("|", `\|`).Replace
	return fmt.Sprintf("| `%s` %s | %s | %s | %s |\n", f.name, f.kind, labels, cell(f.help), cell(f.act))
}

const referenceHead = `# Metrics

<!-- Made by make gen from internal/metrics. -->

` + "`GET /metrics`" + ` of a node, and of ` + "`belfry archive`" + `, is for Prometheus.

## Who may read them

Metrics name queues, routes and operations, and tell how busy you are: nobody may read
them by default. There are two ways, one at a time:

| | where | who |
|---|---|---|
| by default | ` + "`/metrics`" + ` on the address of the node | who shows an API key, or a token, with the grant ` + "`metrics`" + ` or ` + "`api`" + `; with ` + "`--open`" + ` everybody |
| ` + "`metrics.listen: 10.0.0.3:9464`" + ` | ` + "`/metrics`" + ` and ` + "`/healthz/`" + ` on that address, and ` + "`/metrics`" + ` nowhere else | who can reach it: an address that clients and load balancers do not know |

` + "`belfry archive`" + ` has them on its own address (` + "`--listen`" + `, 127.0.0.1:9180), where ` + "`/stats`" + ` is.

With a key, made by ` + "`openssl rand -hex 32`" + `, which can do nothing else:

` + "```yaml" + `
auth:                                   # belfry.yaml
  api_keys:
    - {name: prometheus, key: "file:/run/secrets/prometheus", grants: {metrics: true}}
` + "```" + `

` + "```yaml" + `
scrape_configs:                         # prometheus.yml
  - job_name: belfry
    authorization: {credentials_file: /run/secrets/prometheus}
    static_configs: [{targets: ["10.0.0.3:8080", "10.0.0.4:8080"]}]
` + "```" + `

Scrape each node by itself, not through a load balancer.
[deploy/prometheus/alerts.yaml](../deploy/prometheus/alerts.yaml) has rules for the
alarms below.

## What they cost

Nothing on the way of a message: what is counted there is counted anyway. What a queue
or a stream holds is asked of Redis when somebody scrapes, a few commands for each
group, for two seconds at the most, and not again for five seconds. If it cannot be had
its series are not there, and ` + "`belfry_metrics_failures_total`" + ` counts.

The metrics ` + "`go_…`" + ` and ` + "`process_…`" + ` are those of every program in Go; with
` + "`process_open_fds`" + ` near ` + "`process_max_fds`" + ` a node takes no more clients.
`
