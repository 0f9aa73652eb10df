package config

import "strings"

// node is a *setting, a *section or a *list.
type node interface {
	key() string
	text() string
}

// setting is a leaf of the tree.
type setting struct {
	name     string
	value    value
	standard string // the default
	usage    string // one line; the word in backquotes stands for the value
	flag     string // empty: none
	option   string // how the Validate that checks it calls it: serve.Options.Drain
	example  string // for the sample, where the default is not one
	secret   bool   // may be in a file of its own, and is never shown
	file     bool   // names a file that holds the value
	nested   bool   // in a list: only the file can give it
}

// section groups settings.
type section struct {
	name, usage string
	nodes       []node
	option      string // as in a setting
}

// list is any number of groups of settings.
type list struct {
	name, usage string
	option      string
	add         func() []node // appends one, and returns its settings
}

func (s *setting) key() string  { return s.name }
func (s *section) key() string  { return s.name }
func (l *list) key() string     { return l.name }
func (s *setting) text() string { return s.usage }
func (s *section) text() string { return s.usage }
func (l *list) text() string    { return l.usage }

// variable is the environment variable of a setting, empty if it has none:
// BELFRY_DRAIN_DELAY for the flag drain-delay, BELFRY_AUTH_ISSUER for auth.issuer.
func (s *setting) variable(path string) string {
	if _, pairs := s.value.(*pairs); pairs || s.nested {
		return ""
	}
	if s.flag != "" {
		path = s.flag
	}
	return "BELFRY_" + strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(path))
}

// walk calls f for all settings outside of lists, with their paths.
func walk(nodes []node, path string, f func(path string, s *setting)) {
	for _, n := range nodes {
		switch n := n.(type) {
		case *setting:
			f(join(path, n.name), n)
		case *section:
			walk(n.nodes, join(path, n.name), f)
		}
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
