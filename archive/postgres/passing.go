package postgres

import (
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/seed-09a96375/belfry/archive"
)

// Passes reports whether an error of Open may go away by itself: the server is away, or
// starts. What it says of password, database, rights and tables stays.
func Passes(err error) bool {
	var newer *archive.SchemaError
	var others *TableError
	if errors.As(err, &newer) || errors.As(err, &others) {
		return false
	}
	var fault *pgconn.PgError
	if !errors.As(err, &fault) {
		return true
	}
	for _, class := range []string{"28", "3D", "3F", "42", "0A"} {
		if strings.HasPrefix(fault.Code, class) {
			return false
		}
	}
	return true
}
