//go:build unix

package serve

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/internal/history"
	"github.com/seed-09a96375/belfry/internal/kafkatest"
	"github.com/seed-09a96375/belfry/internal/route"
)

// way publishes message n to the room, by a front of one node or the other, and returns
// once it is accepted.
type way func(t *testing.T, n int)

// ephemeral is added to the numbers of messages that nobody keeps.
const ephemeral = 1_000_000

// everyWay has all ways by which messages come to the nodes. Those that have ids are
// repeated.
func everyWay(t *testing.T, nodes []string, broker *kafkatest.Broker, in string) map[string]way {
	t.Helper()
	ada := token(t, "ada", time.Hour, map[string]any{"publish": []string{"room"}})
	socket, _ := dial(t, nodes[0], `{"token":"`+ada+`"}`, nil)
	plain, _ := connectPlain(t, rootOf(nodes[1]), ada)
	stomp := connectSTOMP(t, rootOf(nodes[0]), ada)
	wantOK := func(t *testing.T, answer string) {
		t.Helper()
		if answer != "[]" && errorCode(t, answer) != "" {
			t.Error(answer)
		}
	}
	post := func(t *testing.T, node, path, body string) {
		t.Helper()
		if status, text := call(t, rootOf(node), http.MethodPost, path, body, apiKey); status != http.StatusOK {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	return map[string]way{
		"HTTP": func(t *testing.T, n int) {
			body := fmt.Sprintf(`{"rooms":["elsewhere","room"],"event":"m","args":[{"n":%d}],"id":"h%d"}`, n, n)
			post(t, nodes[0], "/api/publish", body)
			post(t, nodes[0], "/api/publish", body)
		},
		"HTTP batch": func(t *testing.T, n int) {
			post(t, nodes[1], "/api/batch", fmt.Sprintf(`{"messages":[{"rooms":["room"],"event":"m","args":[{"n":%d}],"id":"b%d"}]}`, n, n))
		},
		"HTTP ephemeral": func(t *testing.T, n int) {
			post(t, nodes[1], "/api/publish", fmt.Sprintf(`{"rooms":["room"],"event":"m","args":[{"n":%d}],"ephemeral":true}`, n+ephemeral))
			post(t, nodes[1], "/api/publish", fmt.Sprintf(`{"rooms":["room"],"event":"m","args":[{"n":%d}]}`, n))
		},
		"Socket.IO": func(t *testing.T, n int) { wantOK(t, socket.ask("publish", "room", "m", map[string]int{"n": n})) },
		"a route":   func(t *testing.T, n int) { wantOK(t, socket.ask("say", map[string]int{"n": n})) },
		"a route to the topic": func(t *testing.T, n int) {
			wantOK(t, socket.ask("tell", map[string]int{"n": n}))
		},
		"plain": func(t *testing.T, n int) {
			for range 2 {
				wantOK(t, plain.ask(fmt.Sprintf(`{"id":1,"publish":{"room":"room","event":"m","args":[{"n":%d}],"id":"p%d"}}`, n, n)))
			}
		},
		"STOMP": func(t *testing.T, n int) {
			stomp.send("SEND", fmt.Sprintf(`{"n":%d}`, n), "destination:/topic/room", "event:m", "content-type:application/json", "receipt:r")
			stomp.want("RECEIPT", "")
		},
		"a source": func(t *testing.T, n int) {
			broker.Produce(t, &kgo.Record{Topic: in, Value: fmt.Appendf(nil, `{"n":%d}`, n)})
		},
	}
}

// TestMessagesOfAllFrontsAreKept: two nodes, and whoever publishes, by whichever front,
// each message is one record of the topic and one row, however many nodes hear it.
func TestMessagesOfAllFrontsAreKept(t *testing.T) {
	broker, redis := bed.Broker(t), redistest.Start(t)
	in, out := broker.Topic(t, 1), broker.Topic(t, 3)
	o := meeting()
	o.Bus.URL, o.Bus.Interest = redis.URL(), true
	o.Kafka = Kafka{URL: "kafka://" + broker.Addr(), CreateTopics: true}
	o.Archive = Archive{SQLite: filepath.Join(t.TempDir(), "past.db"), Delay: 100 * time.Millisecond}
	to := route.Emit{Rooms: []string{"room"}, As: "m"}
	o.Routes = route.Options{
		Routes:   []route.Route{{Event: "say", Emit: to}, {Event: "tell", Topic: out, Archive: true, Emit: to}},
		Sources:  []route.Source{{Name: "k", Topic: in, Emit: route.Emit{Rooms: []string{"room"}, As: "m", Args: []string{"{payload}"}}}},
		Messages: []route.Rule{{Rooms: []string{"room"}, Topic: out, Archive: true}},
	}
	nodes := []string{run(t, o), run(t, o)}
	listener, _ := dial(t, nodes[1], `{"token":"`+token(t, "eve", time.Hour, map[string]any{"join": []string{"room"}})+`"}`, nil)
	if got := listener.ask("join", "room"); got != "[]" {
		t.Fatal(got)
	}
	sent := 0
	for name, publish := range everyWay(t, nodes, broker, in) {
		t.Run(name, func(t *testing.T) {
			for range 5 {
				publish(t, sent)
				sent++
			}
		})
	}
	heard := counts{}
	for len(heard) < sent {
		text := listener.read()
		var event []json.RawMessage
		if err := json.Unmarshal([]byte(strings.TrimPrefix(text, "42")), &event); err != nil || len(event) < 2 {
			t.Fatal(text)
		}
		if n := said(t, []byte("["+string(event[1])+"]")); n < ephemeral {
			heard[n]++
		}
	}
	records := counts{}
	for _, r := range broker.Read(t, out, sent) {
		var m struct {
			Room, Event, Offset string
			Args                json.RawMessage
		}
		if err := json.Unmarshal(r.Value, &m); err != nil || m.Room != "room" || m.Offset == "" {
			t.Errorf("%s: %v", r.Value, err)
		}
		records[said(t, m.Args)]++
	}
	rows := counts{}
	for deadline := time.Now().Add(time.Minute); len(rows) < sent; <-time.After(20 * time.Millisecond) {
		_, body := call(t, rootOf(nodes[1]), http.MethodGet, "/api/rooms/room/history?limit=1000", "", apiKey)
		var page history.Page
		if err := json.Unmarshal([]byte(body), &page); err != nil || time.Now().After(deadline) {
			t.Fatalf("%d of %d rows: %s %v", len(rows), sent, body, err)
		}
		clear(rows)
		for _, e := range page.Entries {
			rows[said(t, e.Args)]++
		}
	}
	for what, all := range map[string]counts{"what is heard": heard, "records": records, "rows": rows} {
		for _, fault := range all.faults(sent) {
			t.Errorf("%s: %s", what, fault)
		}
	}
}

// TestATopicThatIsAwayIsToldToThePublisher: it repeats the message with its id, and it
// is heard once and kept once.
func TestATopicThatIsAwayIsToldToThePublisher(t *testing.T) {
	broker := bed.Broker(t)
	topic := broker.Topic(t, 1) + "-late"
	o := meeting()
	o.Kafka.URL = "kafka://" + broker.Addr()
	o.Routes.Messages = []route.Rule{{Rooms: []string{"room"}, Topic: topic, Key: "{args.0.truck}"}}
	addr := run(t, o)
	listener, _ := dial(t, addr, `{"token":"`+token(t, "eve", time.Hour, map[string]any{"join": []string{"room"}})+`"}`, nil)
	if got := listener.ask("join", "room"); got != "[]" {
		t.Fatal(got)
	}
	publish := func(args, id string) (int, string) {
		return call(t, rootOf(addr), http.MethodPost, "/api/publish", fmt.Sprintf(`{"rooms":["room"],"event":"m","args":[%s],"id":%q}`, args, id), apiKey)
	}
	if status, body := publish(`{}`, "1"); status != http.StatusBadRequest || !strings.Contains(body, "{args.0.truck} is missing") {
		t.Errorf("without what the key needs: %d %s", status, body)
	}
	if status, body := publish(`{"truck":7}`, "2"); status != http.StatusServiceUnavailable || !strings.Contains(body, `"code":"in_doubt"`) {
		t.Errorf("without the topic: %d %s", status, body)
	}
	broker.Create(t, topic, 1)
	status, body := 0, ""
	for deadline := time.Now().Add(time.Minute); status != http.StatusOK; {
		if status, body = publish(`{"truck":7}`, "2"); time.Now().After(deadline) {
			t.Fatal(body)
		}
	}
	if !strings.Contains(body, `"duplicate":true`) {
		t.Error(body)
	}
	if status, body = publish(`{"truck":8}`, "3"); status != http.StatusOK {
		t.Error(body)
	}
	for i, r := range broker.Read(t, topic, 2) {
		if want := fmt.Sprint(7 + i); string(r.Key) != want {
			t.Errorf("record %d has key %s: %s", i, r.Key, r.Value)
		}
	}
	for _, want := range []string{`42["m",{"truck":7}`, `42["m",{"truck":8}`} {
		if got := listener.read(); !strings.HasPrefix(got, want) {
			t.Errorf("heard %s, want %s", got, want)
		}
	}
}
