package route

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/socketio/packet"
)

// faults collects what is wrong, as "route: Options.FIELD is VALUE: must RULE".
type faults []error

func (f *faults) add(field, format string, args ...any) {
	*f = append(*f, fmt.Errorf("route: Options.%s %s", field, fmt.Sprintf(format, args...)))
}

// template returns a template, nil for no text.
func (f *faults) template(field, text string, roots []string) *template {
	if text == "" {
		return nil
	}
	t, err := parseTemplate(text, roots)
	if err != nil {
		f.add(field, "is %v", err)
	}
	return t
}

func (f *faults) templates(field string, texts, roots []string) []*template {
	all := make([]*template, 0, len(texts))
	for i, text := range texts {
		if text == "" {
			f.add(fmt.Sprintf("%s[%d]", field, i), "is empty")
		}
		all = append(all, f.template(fmt.Sprintf("%s[%d]", field, i), text, roots))
	}
	return all
}

func (f *faults) route(at string, r Route, o Options) {
	f.namespace(at, r.Namespace)
	switch {
	case r.Event == "":
		f.add(at+".Event", "is empty: give the name of an event, or a pattern")
	case len(r.Event) > maxName:
		f.add(at+".Event", "has %d bytes: at most %d are allowed", len(r.Event), maxName)
	case packet.Reserved(r.Event):
		f.add(at+".Event", "is %q: clients cannot send it", r.Event)
	}
	if !r.appends() && len(r.Rooms)+len(r.Users) == 0 {
		f.add(at, "goes nowhere: give queue, webhook, a topic, rooms or users")
	}
	f.known(at+".Queue", r.Queue, "queue", o.Queues)
	f.known(at+".Webhook", r.Webhook, "webhook", o.Webhooks)
	f.reply(at, r)
	f.require(at, r)
	if !r.appends() && r.Key != "" {
		f.add(at+".Key", "is %q: only a queue, a webhook and a topic have keys", r.Key)
	}
	if r.ExceptSender && len(r.Rooms)+len(r.Users) == 0 {
		f.add(at+".ExceptSender", "is true: must be false without rooms or users")
	}
	if r.Archive && len(r.Rooms) == 0 {
		f.add(at+".Archive", "is true: only what is sent to rooms has a past")
	}
	f.name(at, r.As)
}

// appends reports whether the events are kept for backends.
func (r Route) appends() bool { return r.Queue != "" || r.Webhook != "" || r.Topic != "" }

func (f *faults) reply(at string, r Route) {
	switch {
	case r.Reply && r.Queue == "" && r.Webhook == "":
		f.add(at+".Reply", "is true: only a queue or a webhook has answers")
	case r.Reply && r.Queue != "" && r.Webhook != "":
		f.add(at+".Reply", "is true: must be false where there are a queue and a webhook, either of which could answer")
	}
	if r.Timeout < time.Millisecond || r.Timeout > MaxTimeout {
		f.add(at+".Timeout", "is %v: must be from 1ms to %v", r.Timeout, MaxTimeout)
	}
}

func (f *faults) require(at string, r Route) {
	for _, w := range r.Require {
		switch {
		case w != RequireUser && w != RequirePublish && w != RequireNothing:
			f.add(at+".Require", "has %q: must be %s, %s or %s", w, RequireUser, RequirePublish, RequireNothing)
		case w == RequireNothing && len(r.Require) > 1:
			f.add(at+".Require", "has %q and more: must be alone", w)
		case w == RequirePublish && len(r.Rooms) == 0:
			f.add(at+".Require", "has %q: only for routes with rooms", w)
		}
	}
	if len(r.Users) > 0 && len(r.Require) == 0 {
		f.add(at+".Require", "is empty: say who may send to users: user, or nothing for every client")
	}
}

func (f *faults) known(field, name, kind string, names []string) {
	if name != "" && !slices.Contains(names, name) {
		f.add(field, "is %q: there is no %s of that name", name, kind)
	}
}

func (f *faults) namespace(at, name string) {
	if !strings.HasPrefix(name, "/") {
		f.add(at+".Namespace", "is %q: must be / or /name", name)
	}
}

// name checks the name of an event that is not a template.
func (f *faults) name(at, as string) {
	if packet.Reserved(as) {
		f.add(at+".As", "is %q: that name is reserved", as)
	}
}

func (f *faults) source(at string, s Source, before []Source) {
	f.namespace(at, s.Namespace)
	f.name(at, s.As)
	if s.Name == "" {
		f.add(at+".Name", "is empty: give each source a name")
	}
	if slices.ContainsFunc(before, func(b Source) bool { return b.Name == s.Name }) {
		f.add(at+".Name", "is %q: another source has it", s.Name)
	}
	if kinds := slices.DeleteFunc([]string{s.Channel, s.Stream, s.Topic}, func(k string) bool { return k == "" }); len(kinds) != 1 {
		f.add(at, "must have a channel, a stream or a topic, one of them")
	}
	f.kind(at, s)
	if named := len(s.Rooms)+len(s.Users) > 0; named == s.All {
		f.add(at, "must say who gets it: rooms or users, or all")
	}
}

// kind checks what only some kinds of sources have.
func (f *faults) kind(at string, s Source) {
	f.fields(at, s)
	f.deadLetters(at, s)
	if s.Lanes < 0 || s.Topic == "" && s.Lanes != 0 {
		f.add(at+".Lanes", "is %d: must be positive, and only a topic has them", s.Lanes)
	}
	if s.Channel != "" && s.New {
		f.add(at+".New", "is true: only a stream and a topic have a beginning")
	}
}

func (f *faults) fields(at string, s Source) {
	for _, field := range []struct{ name, v string }{{".Field", s.Field}, {".KeyField", s.KeyField}} {
		if s.Stream == "" && field.v != "" {
			f.add(at+field.name, "is %q: only a stream has fields", field.v)
		}
	}
}

func (f *faults) deadLetters(at string, s Source) {
	if s.MaxDead < 0 || s.Topic != "" && s.MaxDead != 0 {
		f.add(at+".MaxDead", "is %d: must be positive, and only a channel or a stream has it", s.MaxDead)
	}
	if s.Topic == "" && s.DeadTopic != "" || s.DeadTopic != "" && s.DeadTopic == s.Topic {
		f.add(at+".DeadTopic", "is %q: must be another topic than that of the source, and only a topic has it", s.DeadTopic)
	}
}

// roomFault checks a name that a template has made.
func roomFault(room string) error {
	switch {
	case room == "":
		return errors.New("the room has no name")
	case len(room) > maxName:
		return fmt.Errorf("the name of the room has %d bytes: at most %d are allowed", len(room), maxName)
	case hub.Reserved(belfry.Room(room)):
		return errors.New("the name of the room begins with NUL")
	}
	return nil
}
