package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/seed-09a96375/belfry/auth"
	"github.com/seed-09a96375/belfry/bus/redis"
)

// compose makes options of what belongs together.
func (t *Tree) compose() {
	t.stayQuick()
	if !t.given("auth.") {
		return
	}
	o := t.parts.auth
	if t.parts.secret != "" {
		t.places[fmt.Sprintf("%sKeys[%d]", authOption, len(o.Keys))] = t.places["auth.secret"]
		o.Keys = append(o.Keys, auth.Key{Secret: t.parts.secret})
	}
	if t.given("auth.jwks.") {
		o.JWKS = &t.parts.jwks
	}
	if t.given("auth.hook.") {
		o.Hook = &t.parts.hook
	}
	t.config.Serve.Auth = &o
}

// stayQuick is for a node that is alone: its clients have nowhere to go, so that a
// slow stop would only keep them waiting.
func (t *Tree) stayQuick() {
	o := &t.config.Serve
	if o.Bus.URL != "" {
		return
	}
	if !t.given("drain.over") {
		o.Drain = 0
	}
	if !t.given("drain.delay") {
		o.DrainDelay = 0
	}
}

// given reports whether any source gives a setting whose path begins so.
func (t *Tree) given(prefix string) bool {
	for path := range t.places {
		if strings.HasPrefix(path, prefix) && !strings.HasPrefix(path, authOption) {
			return true
		}
	}
	return false
}

func (t *Tree) validate() {
	t.read = len(t.faults)
	o := t.config.Serve
	if o.Bus.URL != "" {
		t.explain(redis.Options{URL: o.Bus.URL}.Validate())
	}
	t.explain(o.Bus.Validate())
	t.explain(o.Validate())
}

// explain makes faults of what a Validate says, each option by the name that the
// setting has for whoever gave it.
func (t *Tree) explain(err error) {
	if err == nil {
		return
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range many.Unwrap() {
			t.explain(e)
		}
		return
	}
	if at, text := t.locate(err.Error()); !t.follows(at) {
		t.fault(at, "%s", text)
	}
}

// follows reports whether there is a fault already that this one comes of.
func (t *Tree) follows(at place) bool {
	return at.path != "" && slices.ContainsFunc(t.faults[:t.read], func(f Fault) bool {
		return f.at.path != "" && (strings.HasPrefix(f.at.path, at.path) || strings.HasPrefix(at.path, f.at.path))
	})
}

var optionFault = regexp.MustCompile(`(?s)^(\w+): (Options\.[\w.\[\]]*\w\]?) (.*)$`)

// locate takes apart what a Validate says: "serve: Options.Drain is …".
func (t *Tree) locate(message string) (place, string) {
	m := optionFault.FindStringSubmatch(message)
	if m == nil {
		return place{file: t.source.File}, message
	}
	option, text := m[1]+"."+m[2], m[3]
	if at, ok := t.places[option]; ok {
		return at, text
	}
	if path := t.pathOf(option); path != "" {
		at := t.nearest(path)
		at.path = path
		return at, text
	}
	if at := t.nearest(option); at != (place{}) {
		return at, text
	}
	return place{path: option}, text
}

// nearest returns the place of what a name is in, the zero place if there is none.
func (t *Tree) nearest(name string) place {
	for cut := 0; cut >= 0; cut = strings.LastIndexAny(name, ".[") {
		if cut > 0 {
			name = name[:cut]
		}
		if at, ok := t.places[name]; ok {
			return at
		}
	}
	return place{}
}

// pathOf is the path of an option that is not in a list, else empty.
func (t *Tree) pathOf(option string) string {
	found := ""
	paths(t.root, "", func(path, name string) {
		if name == option {
			found = path
		}
	})
	return found
}

// paths calls f for all settings and sections with an option.
func paths(nodes []node, path string, f func(path, option string)) {
	for _, n := range nodes {
		full := join(path, n.key())
		switch n := n.(type) {
		case *setting:
			f(full, n.option)
		case *section:
			f(full, n.option)
			paths(n.nodes, full, f)
		case *list:
			f(full, n.option)
		}
	}
}
