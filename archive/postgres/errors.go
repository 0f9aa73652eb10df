package postgres

import (
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/seed-09a96375/belfry/archive"
)

// Codes of errors: PostgreSQL's documentation, Appendix A.
const (
	classData          = "22" // data exceptions: not UTF-8, not JSON
	classIntegrity     = "23"
	classLimit         = "54" // a row that is too large for an index
	codeUnique         = "23505"
	codeCheck          = "23514" // also: there is no partition for a row
	codeDuplicateTable = "42P07"
)

func hasCode(err error, code string) bool {
	var fault *pgconn.PgError
	return errors.As(err, &fault) && fault.Code == code
}

// isAnswer reports whether the server has said so itself.
func isAnswer(err error) bool {
	var fault *pgconn.PgError
	return errors.As(err, &fault)
}

// judge makes a *archive.RefusedError of what will not pass.
func judge(err error) error {
	var fault *pgconn.PgError
	if !errors.As(err, &fault) || fault.Code == codeCheck {
		return err
	}
	for _, class := range []string{classData, classIntegrity, classLimit} {
		if strings.HasPrefix(fault.Code, class) {
			return &archive.RefusedError{Reason: err}
		}
	}
	return err
}
