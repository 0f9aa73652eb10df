package route

import (
	"errors"
	"fmt"
)

// compiled is a route, ready to run.
type compiled struct {
	route   Route
	order   int
	key, id *template
	emit    emit
	user    bool // only for users
	publish bool // only with the grant for each room

	counters counters
}

// inlet is a source, ready to run.
type inlet struct {
	source Source
	id     *template
	emit   emit
}

// emit is an Emit, ready to run.
type emit struct {
	rooms, users []*template
	as           *template
	args         []*template // nil: as they came
	through      bool        // args are as they came
}

// program is all that was configured.
type program struct {
	routes []*compiled // in their order
	table  table
	inlets map[string]*inlet
	ledger ledger
	rules  []*keeping
}

// compile returns what was configured, or all that is wrong.
func compile(o Options) (*program, error) {
	var f faults
	p := &program{table: table{exact: make(map[place]*compiled)}, inlets: make(map[string]*inlet)}
	for i, r := range o.Routes {
		at := fmt.Sprintf("Routes[%d]", i)
		f.route(at, r, o)
		f.reachable(at, r, o.Routes[:i])
		c := f.compileRoute(at, r, i)
		p.routes = append(p.routes, c)
		p.table.add(c)
	}
	for i, s := range o.Sources {
		at := fmt.Sprintf("Sources[%d]", i)
		f.source(at, s, o.Sources[:i])
		p.inlets[s.Name] = &inlet{s, f.template(at+".ID", s.ID, sourceRoots), f.emit(at, s.Emit, sourceRoots)}
	}
	for i, r := range o.Messages {
		k := f.rule(fmt.Sprintf("Messages[%d]", i), r, o.Messages[:i], o)
		k.order = i
		p.rules = append(p.rules, k)
		p.ledger.add(k)
	}
	if len(f) > 0 {
		return nil, errors.Join(f...)
	}
	return p, nil
}

func (f *faults) compileRoute(at string, r Route, order int) *compiled {
	c := &compiled{
		route: r, order: order,
		key: f.template(at+".Key", r.Key, routeRoots), id: f.template(at+".ID", r.ID, routeRoots),
		emit: f.emit(at, r.Emit, routeRoots), publish: len(r.Require) == 0 && len(r.Rooms) > 0,
	}
	for _, w := range r.Require {
		c.user = c.user || w == RequireUser
		c.publish = c.publish || w == RequirePublish
	}
	return c
}

func (f *faults) emit(at string, e Emit, roots []string) emit {
	return emit{
		rooms: f.templates(at+".Rooms", e.Rooms, roots), users: f.templates(at+".Users", e.Users, roots),
		as: f.template(at+".As", e.As, roots), args: f.arguments(at+".Args", e.Args, roots), through: e.Args == nil,
	}
}

// arguments are templates that may be empty: an empty string is an argument.
func (f *faults) arguments(field string, texts, roots []string) []*template {
	all := make([]*template, 0, len(texts))
	for i, text := range texts {
		t, err := parseTemplate(text, roots)
		if err != nil {
			f.add(fmt.Sprintf("%s[%d]", field, i), "is %v", err)
		}
		all = append(all, t)
	}
	return all
}

// reachable finds routes that never come about, since one before them takes all.
func (f *faults) reachable(at string, r Route, before []Route) {
	for _, b := range before {
		if b.Namespace == r.Namespace && r.Event != "" && covers(b.Event, r.Event) {
			f.add(at+".Event", "is %q: an earlier route, %q, takes all its events: put this one before it", r.Event, b.Event)
			return
		}
	}
}
