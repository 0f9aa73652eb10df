package route

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/hub"
)

// nothing is a queue that costs nothing.
type nothing struct{}

func (nothing) Append(context.Context, *belfry.Event) error { return nil }

// BenchmarkRoute is what a route costs besides the append or the publish.
func BenchmarkRoute(b *testing.B) {
	for name, route := range map[string]Route{
		"queue": {Event: "order.*", Queue: "q", Key: "{user}", ID: "{args.0.id}"},
		"room": {Event: "order.*", Require: []string{RequireNothing}, ID: "{args.0.id}", Emit: Emit{
			Rooms: []string{"chat:{args.0.room}"}, Args: []string{"{args.0.text}", "{user}"},
		}},
	} {
		b.Run(name, func(b *testing.B) {
			r, err := New(Options{Routes: []Route{{Event: "other", Queue: "q"}, route}, Queues: []string{"q"}}, Links{
				Publish: func(context.Context, *belfry.Message) error { return nil },
				Queues:  map[string]belfry.Queue{"q": nothing{}},
			})
			if err != nil {
				b.Fatal(err)
			}
			in := &Incoming{
				Namespace: "/", Event: "order.new", Socket: "s1", User: "ada",
				Args: json.RawMessage(`[{"text":"one hundred and twenty-eight bytes, as in the figures of the other benchmarks","room":"lobby","id":"7f3a9c"}]`),
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Route(b.Context(), in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRules is what rules cost a message: one to a room that none names, with ten
// rules of names and patterns, and one that goes to a topic besides.
func BenchmarkRules(b *testing.B) {
	var rules []Rule
	for i := range 10 {
		rules = append(rules, Rule{Rooms: []string{fmt.Sprint("room-", i), fmt.Sprintf("chat:%d:*", i)}, Topic: "T"})
	}
	r, err := New(Options{Messages: rules}, Links{
		Publish: func(context.Context, *belfry.Message) error { return nil }, Topics: map[string]belfry.Queue{"T": nothing{}},
	})
	if err != nil {
		b.Fatal(err)
	}
	data := []byte(`["message",{"text":"one hundred and twenty-eight bytes, as in the figures of the other benchmarks"}]`)
	for name, room := range map[string]belfry.Room{"not named": "other", "named": "chat:9:lobby"} {
		m := &belfry.Message{Namespace: "/", Data: data, Target: belfry.Target{Rooms: []belfry.Room{room}}}
		b.Run(name, func(b *testing.B) {
			k := r.Keeper()
			b.ReportAllocs()
			for b.Loop() {
				if k.Takes(m) {
					if err := k.Publish(b.Context(), m, hub.Sender{}); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
