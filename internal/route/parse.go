package route

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// parser reads a template.
type parser struct {
	text  string
	roots []string
	at    int // index of the byte to read; after an error, of the fault
	parts []part
	plain strings.Builder
}

func (p *parser) parse() error {
	for p.at < len(p.text) {
		switch c := p.text[p.at]; {
		case c != '{' && c != '}':
			p.plain.WriteByte(c)
			p.at++
		case p.at+1 < len(p.text) && p.text[p.at+1] == c:
			p.plain.WriteByte(c)
			p.at += 2
		case c == '}':
			return errors.New("a closing brace without an opening one: write }} for a brace")
		default:
			p.flush()
			if err := p.field(); err != nil {
				return err
			}
		}
	}
	p.flush()
	if len(p.parts) == 0 {
		p.parts = []part{{}} // the empty text
	}
	return nil
}

func (p *parser) flush() {
	if p.plain.Len() > 0 {
		p.parts = append(p.parts, part{literal: p.plain.String()})
		p.plain.Reset()
	}
}

// field reads from the opening brace to behind the closing one.
func (p *parser) field() error {
	start := p.at
	p.at++
	f := &field{}
	words, err := p.path(start)
	if err != nil {
		return err
	}
	if err := p.known(start, words); err != nil {
		return err
	}
	f.root = words[0]
	for _, w := range words[1:] {
		f.path = append(f.path, newStep(w))
	}
	if p.text[p.at] == '#' {
		p.at++
		if f.prefix, err = p.word(start, "|}"); err != nil {
			return err
		}
	}
	if p.text[p.at] == '|' {
		p.at++
		fallback, err := p.word(start, "}")
		if err != nil {
			return err
		}
		f.fallback = &fallback
	}
	p.at++ // the closing brace
	f.text = p.text[start:p.at]
	p.parts = append(p.parts, part{field: f})
	return nil
}

// path reads the words between dots.
func (p *parser) path(start int) (words []string, err error) {
	for {
		at := p.at
		w, err := p.word(start, ".#|}")
		if err != nil {
			return nil, err
		}
		if w == "" {
			p.at = at
			return nil, errors.New("a name is missing")
		}
		words = append(words, w)
		if p.text[p.at] != '.' {
			return words, nil
		}
		p.at++
	}
}

// word reads up to one of the bytes in ends, which is there when it returns.
func (p *parser) word(start int, ends string) (string, error) {
	var b strings.Builder
	for ; p.at < len(p.text); p.at++ {
		c := p.text[p.at]
		switch {
		case c == '\\' && p.at+1 < len(p.text):
			p.at++
			b.WriteByte(p.text[p.at])
		case strings.IndexByte(ends, c) >= 0:
			return b.String(), nil
		case c == '{':
			return "", errors.New("a brace within a field: write \\{")
		default:
			b.WriteByte(c)
		}
	}
	p.at = start
	return "", errors.New("the field has no closing brace; write {{ for a brace")
}

// known checks the root. A root that ends with a dot wants a path, one that ends
// with a star may have one.
func (p *parser) known(start int, words []string) error {
	root := words[0]
	switch {
	case slices.Contains(p.roots, root+"*"), len(words) > 1 && slices.Contains(p.roots, root+"."), len(words) == 1 && slices.Contains(p.roots, root):
		return nil
	}
	defer func() { p.at = start }()
	switch {
	case slices.Contains(p.roots, root):
		return fmt.Errorf("%s has no fields", root)
	case slices.Contains(p.roots, root+"."):
		return fmt.Errorf("say which: %s.NAME", root)
	}
	names := make([]string, len(p.roots))
	for i, r := range p.roots {
		names[i] = strings.TrimRight(r, ".*")
	}
	return fmt.Errorf("there is no field %q: fields begin with %s", root, strings.Join(names, ", "))
}
