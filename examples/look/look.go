// Package look is what the pages of the examples and of the demo have in common: the
// style sheet base.css, which a page links before its own, and the icon.
package look

import (
	"embed"
	"errors"
	"io/fs"
	"net/http"
)

//go:embed base.css icon.svg
var common embed.FS

// Files serves a page's own files, and base.css and icon.svg where it has none of that
// name. Safe for concurrent use.
func Files(own fs.FS) http.Handler { return http.FileServerFS(union{own, common}) }

// union has what one file system lacks from another.
type union struct{ own, common fs.FS }

// Open implements fs.FS.
func (u union) Open(name string) (fs.File, error) {
	f, err := u.own.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return u.common.Open(name)
	}
	return f, err
}
