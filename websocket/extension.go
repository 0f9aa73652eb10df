package websocket

import (
	"errors"
	"strings"
)

// extension is one offer of a Sec-WebSocket-Extensions header.
type extension struct {
	name   string
	params []param
}

// param is a parameter of an extension.
type param struct {
	name, value string
	valued      bool // false: name stands alone
}

var errExtensions = errors.New("malformed Sec-WebSocket-Extensions")

// parseExtensions reads a Sec-WebSocket-Extensions header, RFC 6455 section
// 9.1. Empty elements of the list are passed over, as RFC 9110 section 5.6.1
// demands of receivers.
func parseExtensions(s string) ([]extension, error) {
	var list []extension
	p := scanner{s}
	for {
		p.space()
		if p.rest == "" {
			return list, nil
		}
		if p.skip(',') {
			continue
		}
		e, ok := p.extension()
		if !ok || p.rest != "" && !p.skip(',') {
			return nil, errExtensions
		}
		list = append(list, e)
	}
}

// scanner reads a header value from left to right.
type scanner struct{ rest string }

func (p *scanner) space() { p.rest = strings.TrimLeft(p.rest, " \t") }

// skip passes over b if it is next.
func (p *scanner) skip(b byte) bool {
	if p.rest == "" || p.rest[0] != b {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// token reads a token; it is empty if none is next.
func (p *scanner) token() string {
	n := 0
	for n < len(p.rest) && isTokenByte(p.rest[n]) {
		n++
	}
	t := p.rest[:n]
	p.rest = p.rest[n:]
	return t
}

// quoted reads the rest of a quoted string, whose content must be a token.
func (p *scanner) quoted() string {
	var b strings.Builder
	for p.rest != "" {
		switch {
		case p.skip('"'):
			if !isToken(b.String()) {
				return ""
			}
			return b.String()
		case p.skip('\\') && p.rest == "":
			return ""
		}
		b.WriteByte(p.rest[0])
		p.rest = p.rest[1:]
	}
	return ""
}

// extension reads a name and its parameters.
func (p *scanner) extension() (e extension, ok bool) {
	if e.name = p.token(); e.name == "" {
		return e, false
	}
	for p.space(); p.skip(';'); p.space() {
		p.space()
		a, ok := p.param()
		if !ok {
			return e, false
		}
		e.params = append(e.params, a)
	}
	return e, true
}

// param reads one parameter.
func (p *scanner) param() (a param, ok bool) {
	if a.name = p.token(); a.name == "" {
		return a, false
	}
	p.space()
	if !p.skip('=') {
		return a, true
	}
	p.space()
	a.valued = true
	if p.skip('"') {
		a.value = p.quoted()
	} else {
		a.value = p.token()
	}
	return a, a.value != ""
}
