//go:build unix

package serve

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/internal/route"
)

// TestKafkaOfTwoNodes: what a client sends is a record, whose repetition on the same
// node is not another; what comes from a topic reaches the clients of both nodes once.
func TestKafkaOfTwoNodes(t *testing.T) {
	broker, redis := bed.Broker(t), redistest.Start(t)
	in, out := broker.Topic(t, 1), broker.Topic(t, 1)
	o := guarded()
	o.Bus.URL, o.Bus.Interest = redis.URL(), true
	o.Kafka = Kafka{URL: "kafka://" + broker.Addr(), CreateTopics: true}
	o.Routes = route.Options{
		Routes:  []route.Route{{Event: "order", Topic: out, Key: "{user}", ID: "{args.0.id}", Emit: route.Emit{Rooms: []string{"room"}, As: "ordered"}}},
		Sources: []route.Source{{Name: "k", Topic: in, Emit: route.Emit{Rooms: []string{"{payload.room}"}, Args: []string{"{payload.text}"}}}},
	}
	grants := map[string]any{"join": []string{"room"}, "publish": []string{"room"}}
	var peers []*peer
	for range 2 {
		p, _ := dial(t, run(t, o), `{"token":"`+token(t, "ada", time.Hour, grants)+`"}`, nil)
		if got := p.ask("join", "room"); got != "[]" {
			t.Fatal(got)
		}
		peers = append(peers, p)
	}
	for _, payload := range []string{`{"id":"a1"}`, `{"id":"a1"}`, `{"id":"a2"}`} {
		peers[0].write(`42["order",` + payload + `]`)
	}
	bothGet(t, peers, `["ordered",{"id":"a1"}`)
	bothGet(t, peers, `["ordered",{"id":"a2"}`)
	for i, r := range broker.Read(t, out, 2) {
		var e struct{ Event, User, Room, Offset string }
		if err := json.Unmarshal(r.Value, &e); err != nil || e.Event != "ordered" || e.User != "ada" || string(r.Key) != "ada" || e.Room != "room" || e.Offset == "" {
			t.Errorf("record %d: key %q, value %s, %v", i, r.Key, r.Value, err)
		}
	}
	broker.Produce(t, &kgo.Record{Topic: in, Value: []byte("poison")}, &kgo.Record{Topic: in, Value: []byte(`{"room":"room","text":"hi"}`)})
	bothGet(t, peers, `["message","hi"`)
	if dead := broker.Read(t, in+".dead", 1); string(dead[0].Value) != "poison" {
		t.Errorf("the dead letter is %q", dead[0].Value)
	}
}

func TestFaultsOfTopicsAreNamed(t *testing.T) {
	routes := route.Options{
		Routes:   []route.Route{{Event: "a", Topic: "a b"}, {Event: "b", Topic: "b", Reply: true}},
		Sources:  []route.Source{{Name: "s", Topic: "t", Field: "x", Emit: route.Emit{Rooms: []string{"r"}}}},
		Messages: []route.Rule{{Rooms: []string{"r"}, Topic: "c d"}},
	}
	for url, wants := range map[string][]string{
		"": {
			`route: Options.Routes[0].Topic is "a b": needs a Kafka: give kafka.url`, `route: Options.Sources[0].Topic is "t": needs a Kafka`,
			`route: Options.Messages[0].Topic is "c d": needs a Kafka`,
			"route: Options.Routes[1].Reply is true: only a queue or a webhook", `Sources[0].Field is "x": only a stream has fields`,
		},
		"kafka://127.0.0.1:9092": {`route: Options.Routes[0].Topic is "a b": must be 1 to 249`, `route: Options.Messages[0].Topic is "c d": must be 1 to 249`},
		"http://127.0.0.1":       {`serve: Options.Kafka.URL cannot be used: the scheme of the URL is "http"`},
	} {
		err := Options{Kafka: Kafka{URL: url}, Routes: routes}.Validate()
		for _, want := range wants {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: error lacks %q: %v", url, want, err)
			}
		}
	}
}
