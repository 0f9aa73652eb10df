package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// place is where a setting was given. The zero value: nowhere.
type place struct {
	path         string // of the setting
	file         string
	line, column int // 0: unknown
	variable     string
	flag         string
}

// String names what is wrong the way the user knows it.
func (p place) String() string {
	switch {
	case p.flag != "":
		return "--" + p.flag
	case p.variable != "":
		return "environment variable " + p.variable
	case p.file == "":
		return p.path
	}
	at := p.file
	if p.line > 0 {
		at = fmt.Sprintf("%s:%d:%d", p.file, p.line, max(p.column, 1))
	}
	if p.path == "" {
		return at + ":"
	}
	return at + ": " + p.path
}

// Fault is one thing that is wrong.
type Fault struct {
	at   place
	text string
}

// Error names the place and what is wrong there.
func (f Fault) Error() string { return strings.TrimSpace(f.at.String() + " " + f.text) }

// Faults are all things that are wrong, in the order of their places.
type Faults []Fault

// maxFaults bounds what one mistake may bring about.
const maxFaults = 100

func (f *Faults) add(at place, format string, args ...any) {
	if len(*f) < maxFaults {
		*f = append(*f, Fault{at, fmt.Sprintf(format, args...)})
	}
}

func (f Faults) sorted() Faults {
	slices.SortStableFunc(f, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.at.line, b.at.line), cmp.Compare(a.at.column, b.at.column))
	})
	return f
}

// Error has a line for each fault.
func (f Faults) Error() string {
	if len(f) == 1 {
		return f[0].Error()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d faults in the configuration:", len(f))
	for _, one := range f {
		b.WriteString("\n  " + one.Error())
	}
	return b.String()
}
