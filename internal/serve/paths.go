package serve

import (
	"fmt"
	"strings"

	"github.com/seed-09a96375/belfry/internal/health"
	"github.com/seed-09a96375/belfry/internal/httpapi"
	"github.com/seed-09a96375/belfry/internal/metrics"
)

// place is what the node serves at a path. One that ends with a slash is all below it.
type place struct{ option, path string }

// places are all that are served. Some are the node's own, and no option.
func (o Options) places() []place {
	all := []place{{"", health.Path}}
	if !o.API.Off {
		all = append(all, place{"", httpapi.Path})
	}
	if o.Metrics.Listen == "" {
		all = append(all, place{"", metrics.Path})
	}
	all = append(all, place{"Path", o.withDefaults().Path})
	if p := o.STOMP.Path; p != "" {
		all = append(all, place{"STOMP.Path", p})
		if strings.HasPrefix(p, "/") && !strings.HasSuffix(p, "/") {
			all = append(all, place{"STOMP.Path", p + sockJS})
		}
	}
	for _, p := range []place{{"Plain.WebSocket", o.Plain.WebSocket}, {"Plain.Events", o.Plain.Events}} {
		if p.path != "" {
			all = append(all, p)
		}
	}
	return all
}

// validatePaths names paths that cannot be served, or that are taken by another.
func (o Options) validatePaths() (faults []error) {
	bad := func(option, path, rule string) {
		faults = append(faults, fmt.Errorf("serve: Options.%s is %q: %s", option, path, rule))
	}
	all := o.places()
	for _, p := range all {
		if rule := p.broken(); rule != "" {
			bad(p.option, p.path, rule)
		}
	}
	if len(faults) > 0 {
		return faults
	}
	for i, p := range all {
		for _, other := range all[:i] {
			if p.option != other.option && (within(p.path, other.path) || within(other.path, p.path)) {
				bad(p.option, p.path, other.path+" is taken")
			}
		}
	}
	return faults
}

// broken is the rule that a path breaks, empty if it breaks none.
func (p place) broken() string {
	begins, ends := strings.HasPrefix(p.path, "/"), strings.HasSuffix(p.path, "/")
	switch {
	case p.option == "Path" && (!begins || !ends || p.path == "/"):
		return "must begin and end with a slash, with something between"
	case p.option != "" && p.option != "Path" && (!begins || ends):
		return "must begin with a slash, and not end with one"
	case !clean(p.path):
		return "must have no blanks, braces, escapes, marks of a query, or parts that are empty or begin with a dot"
	}
	return ""
}

// clean reports whether a path can be a pattern of http.ServeMux as it is.
func clean(path string) bool {
	return !strings.ContainsAny(path, "{}?%# \t\r\n") && !strings.Contains(path, "//") && !strings.Contains(path, "/.")
}

// within reports whether a path is another, or below it.
func within(path, other string) bool {
	return path == other || strings.HasSuffix(other, "/") && strings.HasPrefix(path, other)
}
