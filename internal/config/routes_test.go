package config_test

import (
	"crypto/rand"
	"encoding/base64"
	"os"
	"strings"
	"testing"
)

// TestTheConfigurationsOfTheDocumentation: what the pages show is accepted.
func TestTheConfigurationsOfTheDocumentation(t *testing.T) {
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	for _, page := range []string{"routes", "webhooks"} {
		text, err := os.ReadFile("../../docs/" + page + ".md")
		if err != nil {
			t.Fatal(err)
		}
		var yaml strings.Builder
		for line := range strings.Lines(string(text)) {
			if rest, ok := strings.CutPrefix(line, "    "); ok && (yaml.Len() > 0 || strings.HasSuffix(rest, "s:\n")) {
				yaml.WriteString(rest)
			} else if yaml.Len() > 0 {
				break
			}
		}
		f := files{name: yaml.String() + "redis: {url: redis://127.0.0.1}\n", "/run/secrets/billing": base64.StdEncoding.EncodeToString(key)}
		c, err := load(t, f, nil)
		if err != nil {
			t.Errorf("docs/%s.md: %v", page, err)
			continue
		}
		if len(c.Serve.Routes.Routes) == 0 {
			t.Errorf("docs/%s.md shows no routes", page)
		}
	}
}

func TestFaultsOfRoutesHaveTheirPlaces(t *testing.T) {
	_, err := load(t, files{name: `
redis: {url: redis://127.0.0.1}
queues:
  - name: orders
webhooks:
  - name: orders
    url: http://10.0.0.1/
    secret: short
routes:
  - event: a
    queue: order
  - event: b
    rooms: [x, "y{arg}"]
    requires: user
sources:
  - name: s
    redis_stream: S
    rooms: ["{args.0}"]
messages:
  - rooms: ["chat:*"]
    archive: true
    kafka_topic: T
  - rooms: [news]
    key: "{args}{usr}"
  - rooms: [other, "chat:lobby"]
    skip: true
  - room: x
`}, nil)
	if err == nil {
		t.Fatal("all is well")
	}
	for _, want := range []string{
		`belfry.yaml:6:11: webhooks[0].name is "orders": a queue has that name`,
		`belfry.yaml:7:10: webhooks[0].url is http:// to another machine`,
		`belfry.yaml:8:13: webhooks[0].secret must be base64`,
		`belfry.yaml:11:12: routes[0].queue is "order": there is no queue of that name`,
		`routes[1].rooms`, `"y{arg}": column 2: there is no field "arg"`,
		`belfry.yaml:14:5: routes[1].requires is not a setting: did you mean routes[1].require?`,
		`sources[0].rooms`, `there is no field "args": fields begin with value, payload`,
		`belfry.yaml:21:14: messages[0].archive is true: needs an archive: give archive.sqlite or archive.postgres`,
		`belfry.yaml:22:18: messages[0].kafka_topic is "T": needs a Kafka: give kafka.url`,
		`belfry.yaml:23:5: messages[1] goes nowhere: give a topic, a queue or the archive; or skip`,
		`belfry.yaml:25:12: messages[2].rooms is "chat:lobby": an earlier rule, for "chat:*", takes all its messages: put this one before it`,
		`belfry.yaml:24:10: messages[1].key is "{args}{usr}": column 7: there is no field "usr"`,
		`belfry.yaml:27:5: messages[3].room is not a setting: did you mean messages[3].rooms?`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "short") {
		t.Error("it shows the secret")
	}
}
