//go:build unix

package serve

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/internal/route"
	"github.com/seed-09a96375/belfry/queue/redisstream"
	"github.com/seed-09a96375/belfry/redisconn"
)

// backend answers the events of a queue with what they say and who says it.
func backend(t *testing.T, url, name string) {
	t.Helper()
	q, err := redisstream.New(t.Context(), redisstream.Options{Redis: redisconn.Options{URL: url}, Name: name, TrimEvery: -1})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- q.Consume(ctx, "backend", func(_ context.Context, d *belfry.Delivery) (*belfry.Answer, error) {
			if d.Name == "order.bad" {
				return &belfry.Answer{Error: "out of stock"}, nil
			}
			args, err := json.Marshal([]string{d.User, d.Name, string(d.Args)})
			return &belfry.Answer{Args: args}, err
		}, belfry.ConsumeOptions{})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("consume: %v", err)
		}
		q.Close()
	})
}

// routed are options with a queue that a backend answers, and a source.
func routed(url string) Options {
	o := meeting()
	o.Bus.URL = url
	o.Queues = []Queue{{Name: "orders", Groups: []string{"backend"}}}
	o.Routes = route.Options{
		Routes: []route.Route{
			{Event: "order.*", Queue: "orders", Reply: true, Require: []string{route.RequireUser}},
			{Event: "say", Emit: route.Emit{Rooms: []string{"chat:{args.0}"}, As: "said", Args: []string{"{args.1}", "{user}"}}},
		},
		Sources: []route.Source{{Name: "news", Stream: "NEWS", Field: "message", Emit: route.Emit{Rooms: []string{"news"}, As: "news"}}},
	}
	return o
}

func TestEventsReachBackendsFromAllFronts(t *testing.T) {
	redis := redistest.Start(t)
	addr := run(t, routed(redis.URL()))
	base := rootOf(addr)
	backend(t, redis.URL(), "orders")
	some := token(t, "ada", time.Hour, map[string]any{"join": []string{"news"}, "publish": []string{"chat:1"}})

	io, _ := dial(t, addr, `{"token":"`+some+`"}`, nil)
	if got := io.ask("order.new", map[string]int{"n": 1}); got != `["ada","order.new","[{\"n\":1}]"]` {
		t.Errorf("Socket.IO: %s", got)
	}
	if got := io.ask("order.bad"); got != `[{"error":{"message":"rejected: out of stock","code":"rejected"}}]` {
		t.Errorf("Socket.IO: %s", got)
	}
	if got := io.ask("say", "1", "x"); got != "[]" {
		t.Errorf("a room that is granted: %s", got)
	}
	if got := io.ask("say", "2", "x"); !strings.Contains(got, `"code":"forbidden"`) {
		t.Errorf("a room that is not granted: %s", got)
	}

	stomp := connectSTOMP(t, base, some)
	stomp.subscribe("1", "/user/queue/order.new")
	stomp.send("SEND", `{"n":2}`, "destination:/app/order.new", "content-type:application/json", "correlation-id:7", "id:a")
	if f := stomp.want("MESSAGE", `["ada","order.new","[{\"n\":2}]"]`); f.Value("correlation-id") != "7" {
		t.Errorf("STOMP: %+v", f)
	}

	plain, _ := connectPlain(t, base, some)
	if got := plain.ask(`{"id":1,"event":{"name":"order.new","args":[3],"id":"b"}}`); !strings.Contains(got, `"[3]"`) {
		t.Errorf("plain: %s", got)
	}

	events, status := openStream(t, base, some, "news")
	if events == nil {
		t.Fatal(status)
	}
	redis.Must("XADD", "NEWS", "*", "message", "extra")
	if got := events.want("news"); !strings.Contains(got, `"extra"`) {
		t.Errorf("of the source: %s", got)
	}
}

// TestNotReadyWithoutItsRedis: the reason is named, and an event's ack is an error.
func TestNotReadyWithoutItsRedis(t *testing.T) {
	redis := redistest.Start(t)
	addr := run(t, routed(redis.URL()))
	base := rootOf(addr)
	io, _ := dial(t, addr, `{"token":"`+token(t, "ada", time.Hour, nil)+`"}`, nil)
	if status, body := call(t, base, http.MethodGet, "/healthz/ready", "", ""); status != http.StatusOK {
		t.Fatal(body)
	}
	redis.Signal(syscall.SIGSTOP)
	defer redis.Signal(syscall.SIGCONT)
	deadline := time.Now().Add(time.Minute)
	for tick := time.NewTicker(50 * time.Millisecond); ; <-tick.C {
		status, body := call(t, base, http.MethodGet, "/healthz/ready", "", "")
		if status == http.StatusServiceUnavailable && strings.Contains(body, "the Redis of the queues does not answer") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("after a minute: %d %s", status, body)
		}
	}
	if got := io.ask("order.new"); !strings.Contains(got, `"code":"unavailable"`) && !strings.Contains(got, `"code":"in_doubt"`) {
		t.Errorf("the ack is %s", got)
	}
}
