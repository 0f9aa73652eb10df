package config

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

const (
	filePrefix = "file:"
	maxSecret  = 64 << 10 // bytes
)

// reference returns the name of the file that holds the value of a setting.
func reference(s *setting, text string) (name string, ok bool) {
	if s.file {
		return strings.TrimPrefix(text, filePrefix), text != ""
	}
	return strings.CutPrefix(text, filePrefix)
}

// resolve returns text, or what is in the file that it names. What a file names is
// found from its folder.
func (t *Tree) resolve(s *setting, text string) (string, error) {
	if !s.secret && !s.file {
		return text, nil
	}
	name, ok := reference(s, text)
	if !ok {
		return text, nil
	}
	if !filepath.IsAbs(name) && t.source.File != "" && t.fromFile {
		name = filepath.Join(filepath.Dir(t.source.File), name)
	}
	content, err := t.source.ReadFile(name)
	switch {
	case err != nil:
		return "", fmt.Errorf("cannot be read: %s: %w", name, cause(err))
	case len(content) > maxSecret:
		return "", fmt.Errorf("cannot be read: %s has more than %d bytes", name, maxSecret)
	}
	return strings.TrimRight(string(content), "\r\n"), nil
}

// cause leaves out the name, which is there already.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
