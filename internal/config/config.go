// Package config is the configuration of a node: one tree of settings, each of
// which the file, the environment and the command line can give.
//
//	belfry.yaml    drain: {over: 10s}      the least
//	environment    BELFRY_DRAIN=10s
//	flag           --drain 10s             counts most
//
// Help, reference and sample are made of the same tree.
package config

//go:generate go run ./generate

import (
	"os"

	"github.com/spf13/pflag"

	"github.com/seed-09a96375/belfry/auth"
	"github.com/seed-09a96375/belfry/internal/serve"
)

// Config is what was configured.
type Config struct {
	Serve serve.Options
	Log   Log
}

// Tree is the tree of all settings. Make one with New, let the command line parse
// its Flags, then Load. Not safe for concurrent use.
type Tree struct {
	config   Config
	parts    parts
	root     []node
	flags    []*flagValue
	places   map[string]place // where a setting was given, by its path and by its option
	faults   Faults
	fromFile bool // the file is being read
	read     int  // faults that were found before Validate was asked
	source   Sources
}

// parts are settings that only together, or only if given at all, make options.
type parts struct {
	auth   auth.Options
	secret string
	jwks   auth.JWKS
	hook   auth.Hook
}

// Sources say where settings come from. The zero value: flags alone.
type Sources struct {
	// File is the name of a YAML file. Empty: there is none.
	File string
	// Environ looks a variable up. nil: there are none.
	Environ func(name string) string
	// ReadFile reads a file. Default os.ReadFile.
	ReadFile func(name string) ([]byte, error)
}

// New returns the tree with its defaults.
func New() *Tree {
	t := &Tree{places: make(map[string]place)}
	t.root = t.settings()
	walk(t.root, "", func(_ string, s *setting) {
		if s.standard != "" {
			_ = s.value.Set(s.standard) // a test sees to it that it can be
		}
	})
	return t
}

// Flags adds the flags of all settings that have one.
func (t *Tree) Flags(f *pflag.FlagSet) {
	walk(t.root, "", func(path string, s *setting) {
		if s.flag != "" {
			t.flags = append(t.flags, addFlag(f, path, s))
		}
	})
}

// Load reads all sources and returns what they say together. An error is Faults:
// all that is wrong, each with its place.
func (t *Tree) Load(s Sources) (*Config, error) {
	if t.source = s; s.ReadFile == nil {
		t.source.ReadFile = os.ReadFile
	}
	t.loadFile()
	t.loadEnvironment()
	t.loadFlags()
	t.compose()
	t.validate()
	if len(t.faults) > 0 {
		return nil, t.faults.sorted()
	}
	return &t.config, nil
}

func (t *Tree) loadEnvironment() {
	if t.source.Environ == nil {
		return
	}
	walk(t.root, "", func(path string, s *setting) {
		name := s.variable(path)
		if text := t.source.Environ(name); text != "" && name != "" {
			t.give(place{variable: name}, path, s, text)
		}
	})
}

func (t *Tree) loadFlags() {
	for _, f := range t.flags {
		for i, text := range f.given {
			if list, ok := f.setting.value.(*texts); ok && i > 0 {
				list.add(text)
				continue
			}
			t.give(place{flag: f.setting.flag}, f.path, f.setting, text)
		}
	}
}

// give sets a setting to what a source says.
func (t *Tree) give(from place, path string, s *setting, text string) {
	from.path = path
	t.note(from, path, s.option)
	text, err := t.resolve(s, text)
	if err == nil {
		err = s.value.Set(text)
	}
	switch {
	case err == nil:
	case s.secret:
		t.fault(from, "%v", err)
	default:
		t.fault(from, "is %q: %v", text, err)
	}
}

func (t *Tree) note(from place, names ...string) {
	for _, name := range names {
		if name != "" {
			t.places[name] = from
		}
	}
}

func (t *Tree) fault(at place, format string, args ...any) { t.faults.add(at, format, args...) }
