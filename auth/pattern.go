package auth

import (
	"errors"
	"fmt"
	"strings"
)

// pattern is the texts between stars. One text: no star.
type pattern []string

const userTemplate = "{sub}"

// parsePattern reads a pattern of a user. It is split at its stars before the name
// comes in, so that a star in a name is only a star. nil: it fits nothing.
func parsePattern(text, user string) (pattern, error) {
	switch {
	case text == "":
		return nil, errors.New("a pattern is empty")
	case len(text) > maxPattern:
		return nil, fmt.Errorf("a pattern has %d bytes: at most %d are allowed", len(text), maxPattern)
	}
	if strings.ContainsAny(strings.ReplaceAll(text, userTemplate, ""), "{}") {
		return nil, fmt.Errorf("pattern %q: braces are only for %s", text, userTemplate)
	}
	if user == "" && strings.Contains(text, userTemplate) {
		return nil, nil
	}
	p := pattern(strings.Split(text, "*"))
	for i := range p {
		p[i] = strings.ReplaceAll(p[i], userTemplate, user)
	}
	return p, nil
}

// fits takes the first place for each text between two stars: if any choice fits,
// this one does.
func (p pattern) fits(room string) bool {
	last := len(p) - 1
	if last == 0 {
		return room == p[0]
	}
	room, ok := strings.CutPrefix(room, p[0])
	if !ok {
		return false
	}
	for _, text := range p[1:last] {
		_, rest, found := strings.Cut(room, text)
		if !found {
			return false
		}
		room = rest
	}
	return strings.HasSuffix(room, p[last])
}
