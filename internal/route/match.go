package route

import "strings"

// place is a namespace and an event.
type place struct{ namespace, event string }

// table finds the first route that fits an event.
type table struct {
	exact    map[place]*compiled
	patterns []*compiled // in their order
}

func (t *table) add(c *compiled) {
	if isPattern(c.route.Event) {
		t.patterns = append(t.patterns, c)
		return
	}
	at := place{c.route.Namespace, c.route.Event}
	if _, there := t.exact[at]; !there {
		t.exact[at] = c
	}
}

// match returns the route, nil if there is none.
func (t *table) match(namespace, event string) *compiled {
	found := t.exact[place{namespace, event}]
	for _, c := range t.patterns {
		if found != nil && found.order < c.order {
			return found
		}
		if c.route.Namespace == namespace && fits(c.route.Event, event) {
			return c
		}
	}
	return found
}

// isPattern reports whether a text stands for others.
func isPattern(text string) bool { return strings.Contains(text, "*") }

// fits reports whether a text is what a pattern stands for. A star is any text.
func fits(pattern, text string) bool {
	head, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == text
	}
	text, ok := strings.CutPrefix(text, head)
	if !ok {
		return false
	}
	for {
		var next string
		next, rest, star = strings.Cut(rest, "*")
		if !star {
			return strings.HasSuffix(text, next)
		}
		i := strings.Index(text, next) // the first is as good as any
		if i < 0 {
			return false
		}
		text = text[i+len(next):]
	}
}

// covers reports whether all that fits other fits pattern, too: a pattern takes
// the stars of another as any other character.
func covers(pattern, other string) bool { return fits(pattern, other) }
