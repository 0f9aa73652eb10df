package config

import (
	"bytes"
	"errors"
	"io"
	"strconv"

	"go.yaml.in/yaml/v4"
)

const (
	maxFile  = 1 << 20 // bytes
	maxItems = 1000    // of a list
)

func (t *Tree) loadFile() {
	name := t.source.File
	if name == "" {
		return
	}
	t.fromFile = true
	defer func() { t.fromFile = false }()
	content, err := t.source.ReadFile(name)
	switch {
	case err != nil:
		t.fault(place{file: name}, "cannot be read: %v", cause(err))
		return
	case len(content) > maxFile:
		t.fault(place{file: name}, "has more than %d bytes", maxFile)
		return
	}
	if root := t.parse(content); root != nil {
		t.mapping("", t.root, root, "")
	}
}

// parse returns the only document of a file, nil if there is none or a fault.
func (t *Tree) parse(content []byte) *yaml.Node {
	loader, err := yaml.NewLoader(bytes.NewReader(content))
	if err != nil {
		t.syntax(err)
		return nil
	}
	var doc, second yaml.Node
	if err := loader.Load(&doc); err != nil {
		if !errors.Is(err, io.EOF) {
			t.syntax(err)
		}
		return nil
	}
	if err := loader.Load(&second); !errors.Is(err, io.EOF) {
		if err != nil {
			t.syntax(err)
		} else {
			t.fault(t.at(&second, ""), "a second document begins here: there must be one")
		}
		return nil
	}
	if len(doc.Content) == 0 {
		return nil
	}
	return resolveAlias(doc.Content[0])
}

func (t *Tree) syntax(err error) {
	at := place{file: t.source.File}
	message := err.Error()
	var e *yaml.LoadError
	if errors.As(err, &e) {
		at.line, at.column, message = e.Mark.Line, e.Mark.Column, e.Message
	}
	t.fault(at, "not YAML: %s", message)
}

func (t *Tree) at(n *yaml.Node, path string) place {
	return place{path: path, file: t.source.File, line: n.Line, column: n.Column}
}

func resolveAlias(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

// empty reports a key without a value, which is as if it were not there.
func empty(n *yaml.Node) bool {
	return n.Kind == 0 || n.Kind == yaml.ScalarNode && n.Tag == "!!null"
}

// mapping reads what is below path. option begins the names of options in lists.
func (t *Tree) mapping(path string, nodes []node, n *yaml.Node, option string) {
	if empty(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		t.fault(t.at(n, path), "must be a mapping of settings")
		return
	}
	seen := make(map[string]bool)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, content := n.Content[i], resolveAlias(n.Content[i+1])
		full := join(path, key.Value)
		switch found := lookup(nodes, key.Value); {
		case key.Kind != yaml.ScalarNode:
			t.fault(t.at(key, path), "has a key that is not a word")
		case seen[key.Value]:
			t.fault(t.at(key, full), "is there twice")
		case found == nil:
			t.fault(t.at(key, full), "is not a setting%s", t.suggest(path, key.Value, nodes))
		default:
			t.child(full, found, content, n.Content[i+1], option)
		}
		seen[key.Value] = true
	}
}

func lookup(nodes []node, name string) node {
	for _, n := range nodes {
		if n.key() == name {
			return n
		}
	}
	return nil
}

// child reads one node; where is the node whose position counts.
func (t *Tree) child(path string, found node, n, where *yaml.Node, option string) {
	if empty(n) {
		return
	}
	at := t.at(where, path)
	switch f := found.(type) {
	case *section:
		t.note(at, path)
		if f.option != "" {
			t.note(at, option+f.option)
		}
		t.mapping(path, f.nodes, n, option)
	case *list:
		t.list(at, f, n)
	case *setting:
		s := *f
		s.option = option + f.option
		t.setting(at, &s, n)
	}
}

func (t *Tree) list(at place, l *list, n *yaml.Node) {
	t.note(at, at.path, l.option)
	if n.Kind != yaml.SequenceNode || len(n.Content) > maxItems {
		t.fault(at, "must be a list of at most %d items", maxItems)
		return
	}
	for i, item := range n.Content {
		index := "[" + strconv.Itoa(i) + "]"
		where := t.at(item, at.path+index)
		t.note(where, where.path, l.option+index)
		t.mapping(where.path, l.add(), resolveAlias(item), l.option+index+".")
	}
}

func (t *Tree) setting(at place, s *setting, n *yaml.Node) {
	switch v := s.value.(type) {
	case *texts:
		if n.Kind == yaml.SequenceNode {
			t.sequence(at, s, v, n)
			return
		}
	case *pairs:
		t.pairs(at, s, v, n)
		return
	}
	if n.Kind != yaml.ScalarNode {
		t.fault(at, "must be a single value")
		return
	}
	t.give(at, at.path, s, n.Value)
}

func (t *Tree) sequence(at place, s *setting, v *texts, n *yaml.Node) {
	t.note(at, at.path, s.option)
	*v.p = []string{}
	for _, item := range n.Content {
		item = resolveAlias(item)
		if item.Kind != yaml.ScalarNode || len(*v.p) >= maxItems {
			t.fault(at, "must be a list of at most %d texts", maxItems)
			return
		}
		*v.p = append(*v.p, item.Value)
	}
}

func (t *Tree) pairs(at place, s *setting, v *pairs, n *yaml.Node) {
	t.note(at, at.path, s.option)
	if n.Kind != yaml.MappingNode || len(n.Content) > 2*maxItems {
		t.fault(at, "must be a mapping of names to texts, at most %d", maxItems)
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, item := n.Content[i], resolveAlias(n.Content[i+1])
		where := t.at(item, join(at.path, key.Value))
		if key.Kind != yaml.ScalarNode || item.Kind != yaml.ScalarNode {
			t.fault(where, "must be a single value")
			continue
		}
		content, err := t.resolve(s, item.Value)
		if err != nil {
			t.fault(where, "%v", err)
			continue
		}
		v.put(key.Value, content)
	}
}
