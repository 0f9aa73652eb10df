package route

import (
	"strings"
	"testing"
	"time"
)

func TestFaultsNameRouteAndField(t *testing.T) {
	good := Route{Event: "e", Queue: "q"}
	with := func(change func(*Route)) Options {
		r := good
		change(&r)
		return Options{Routes: []Route{{Event: "first", Queue: "q"}, r}, Queues: []string{"q"}, Webhooks: []string{"w"}}
	}
	source := func(change func(*Source)) Options {
		s := Source{Name: "s", Channel: "C", All: true}
		change(&s)
		return Options{Sources: []Source{{Name: "first", Channel: "C", All: true}, s}}
	}
	for want, o := range map[string]Options{
		"Routes[1].Event is empty":                            with(func(r *Route) { r.Event = "" }),
		`Routes[1].Event is "disconnect"`:                     with(func(r *Route) { r.Event = "disconnect" }),
		`Routes[1].Event is "first": an earlier route`:        with(func(r *Route) { r.Event = "first" }),
		"Routes[1] goes nowhere":                              with(func(r *Route) { r.Queue = "" }),
		`Routes[1].Queue is "x": there is no queue`:           with(func(r *Route) { r.Queue = "x" }),
		`Routes[1].Webhook is "x"`:                            with(func(r *Route) { r.Webhook = "x" }),
		`Routes[1].Namespace is "n": must be /`:               with(func(r *Route) { r.Namespace = "n" }),
		`Routes[1].Key is "{use}": column 1`:                  with(func(r *Route) { r.Key = "{use}" }),
		`Routes[1].ID is "{": column 1`:                       with(func(r *Route) { r.ID = "{" }),
		`Routes[1].Rooms[1] is "x{args.0": column 2`:          with(func(r *Route) { r.Rooms = []string{"a", "x{args.0"} }),
		"Routes[1].Rooms[0] is empty":                         with(func(r *Route) { r.Rooms = []string{""} }),
		`Routes[1].Args[0] is "}": column 1`:                  with(func(r *Route) { r.Args = []string{"}"} }),
		`Routes[1].As is "connect": that name`:                with(func(r *Route) { r.As = "connect" }),
		`Routes[1].Require has "root": must be user`:          with(func(r *Route) { r.Require = []string{"root"} }),
		`Routes[1].Require has "nothing" and more`:            with(func(r *Route) { r.Require = []string{"nothing", "user"} }),
		`Routes[1].Require has "publish": only`:               with(func(r *Route) { r.Require = []string{"publish"} }),
		"Routes[1].Require is empty: say who may send":        with(func(r *Route) { r.Users = []string{"a"} }),
		"Routes[1].Timeout is 1h0m0s: must be from":           with(func(r *Route) { r.Timeout = time.Hour }),
		"Routes[1].Reply is true: must be false":              with(func(r *Route) { r.Reply, r.Webhook = true, "w" }),
		"Routes[1].Reply is true: only a queue":               with(func(r *Route) { r.Reply, r.Queue, r.Rooms = true, "", []string{"x"} }),
		"Routes[1].ExceptSender is true":                      with(func(r *Route) { r.ExceptSender = true }),
		"Sources[1].Name is empty":                            source(func(s *Source) { s.Name = "" }),
		`Sources[1].Name is "first": another`:                 source(func(s *Source) { s.Name = "first" }),
		"Sources[1] must have a channel, a stream or a topic": source(func(s *Source) { s.Channel = "" }),
		"Sources[1] must say who gets it":                     source(func(s *Source) { s.All = false }),
		`Sources[1].Field is "f": only a stream`:              source(func(s *Source) { s.Field = "f" }),
		`Sources[1].ID is "{args.0}": column 1`:               source(func(s *Source) { s.ID = "{args.0}" }),
		`Sources[1].Namespace is "x"`:                         source(func(s *Source) { s.Namespace = "x" }),
	} {
		err := o.Validate()
		if err == nil || !strings.Contains(err.Error(), "route: Options."+want) {
			t.Errorf("error is %v, want %q", err, want)
		}
	}
	if err := with(func(*Route) {}).Validate(); err != nil {
		t.Error(err)
	}
	if err := source(func(*Source) {}).Validate(); err != nil {
		t.Error(err)
	}
}

func TestAllFaultsAreNamed(t *testing.T) {
	err := Options{Routes: []Route{{Queue: "x", Key: "{", Namespace: "n"}}}.Validate()
	for _, want := range []string{"Routes[0].Event", "Routes[0].Queue", "Routes[0].Key", "Routes[0].Namespace"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %s in it", err, want)
		}
	}
}
