//go:build unix

package serve

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/client"
	"github.com/seed-09a96375/belfry/internal/route"
	"github.com/seed-09a96375/belfry/queue/webhook"
)

// flowing are options of nodes with a webhook at a URL, and both kinds of sources.
func flowing(redis, url, secret string) Options {
	o := guarded()
	o.Bus.URL, o.Bus.Interest = redis, true
	o.Webhooks = []webhook.Options{{Name: "w", URL: url, Secret: secret}}
	room := route.Emit{Rooms: []string{"{payload.topic#/topic/}"}, Args: []string{"{payload.message}"}}
	o.Routes = route.Options{
		Routes: []route.Route{
			{Event: "order", Webhook: "w", Reply: true, Require: []string{route.RequireUser}, ID: "{args.0.id|}"},
			{Event: "say", Emit: route.Emit{Rooms: []string{"{args.0}"}, As: "said", Args: []string{"{args.1}", "{user}"}}},
		},
		Sources: []route.Source{{Name: "c", Channel: "C", Emit: room}, {Name: "s", Stream: "S", Emit: room}},
	}
	return o
}

// TestRoutesAndSourcesOfTwoNodes: a client of one node asks a webhook, talks to a room
// of another, and both nodes' clients get what comes from Redis, once.
func TestRoutesAndSourcesOfTwoNodes(t *testing.T) {
	redis := redistest.Start(t)
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	secret := base64.StdEncoding.EncodeToString(key)
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		e, err := client.VerifyWebhook(r.Header, body, 0, secret)
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = fmt.Fprintf(w, `{"for":%q,"args":%s}`, e.Data.User, e.Data.Args)
	}))
	defer backend.Close()
	grants := map[string]any{"join": []string{"room"}, "publish": []string{"room"}}
	var peers []*peer
	for range 2 {
		p, _ := dial(t, run(t, flowing(redis.URL(), backend.URL, secret)), `{"token":"`+token(t, "ada", time.Hour, grants)+`"}`, nil)
		if got := p.ask("join", "room"); got != "[]" {
			t.Fatal(got)
		}
		peers = append(peers, p)
	}
	one, two := peers[0], peers[1]
	for _, p := range []*peer{one, two} { // the second is a repetition, on another node
		if got := p.ask("order", map[string]any{"id": 17}); got != `[{"for":"ada","args":[{"id":17}]}]` {
			t.Errorf("the webhook answers %s", got)
		}
	}
	if got := one.ask("say", "elsewhere", "hi"); !strings.Contains(got, `"code":"forbidden"`) {
		t.Errorf("what is not granted is answered with %s", got)
	}
	one.write(`42["say","room","hi"]`)
	subscribed(t, redis, "C")
	bothGet(t, peers, `["said","hi","ada"`)
	redis.Must("PUBLISH", "C", "poison")
	redis.Must("PUBLISH", "C", `{"topic":"/topic/room","message":"by channel"}`)
	bothGet(t, peers, `["message","by channel"`)
	redis.Must("XADD", "S", "*", "_class", "x", "topic", "/topic/room", "message", "by stream")
	bothGet(t, peers, `["message","by stream"`)
	if n := redis.Must("XLEN", "{C}:dead"); n != ":1" {
		t.Errorf("dead letters of the channel: %s", n)
	}
}

// subscribed waits until a node has the channel.
func subscribed(t *testing.T, redis *redistest.Server, channel string) {
	t.Helper()
	for deadline := time.After(40 * time.Second); ; {
		if redis.Must("EVAL", "return redis.call('PUBSUB','NUMSUB',KEYS[1])[2]", "1", channel) == ":1" {
			return
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-deadline:
			t.Fatal("nobody subscribes")
		}
	}
}

// bothGet reads the next message of each: what came twice would be in its place.
func bothGet(t *testing.T, peers []*peer, want string) {
	t.Helper()
	for i, p := range peers {
		if got := p.read(); !strings.HasPrefix(got, "42"+want) {
			t.Errorf("client %d gets %s, want %s", i, got, want)
		}
	}
}

func TestFaultsOfWebhooksAndSourcesAreNamed(t *testing.T) {
	o := Options{
		Queues:   []Queue{{Name: "q"}},
		Webhooks: []webhook.Options{{Name: "q", URL: "https://x", Secret: "s"}, {Name: "q", URL: "https://x", Queue: "none"}},
		Routes:   route.Options{Sources: []route.Source{{Name: "s", Channel: "C", All: true}}},
	}
	err := o.Validate()
	for _, want := range []string{
		"serve: Options.Webhooks[0].Secret must be", `serve: Options.Webhooks[0].Name is "q": a queue has that name`,
		`serve: Options.Webhooks[1].Name is "q": another webhook has it`, `serve: Options.Webhooks[1].Queue is "none": there is no queue`,
		"route: Options.Sources[0] needs a Redis",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q: %v", want, err)
		}
	}
}
