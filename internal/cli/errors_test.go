package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

type hinting struct{}

func (hinting) Error() string { return "broken" }
func (hinting) Hint() string  { return "mend it" }

func TestReport(t *testing.T) {
	for _, test := range []struct {
		name string
		err  error
		text string
		code int
	}{
		{"none", nil, "", 0},
		{"plain", errors.New("broken"), "error: broken\n", 1},
		{"own", &Error{Err: errors.New("broken"), Hint: "mend it", Code: 7}, "error: broken\nhint: mend it\n", 7},
		{"own without a code", &Error{Err: errors.New("broken")}, "error: broken\n", 1},
		{"wrapped", fmt.Errorf("start: %w", &Error{Err: errors.New("broken"), Hint: "mend it", Code: exitUsage}), "error: start: broken\nhint: mend it\n", 2},
		{"of a package below", fmt.Errorf("start: %w", hinting{}), "error: start: broken\nhint: mend it\n", 1},
		{"interrupted", fmt.Errorf("measure: %w", context.Canceled), "error: measure: context canceled\n", 130},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out strings.Builder
			if code := Report(&out, test.err); code != test.code {
				t.Errorf("exit code is %d, want %d", code, test.code)
			}
			if out.String() != test.text {
				t.Errorf("printed %q, want %q", out.String(), test.text)
			}
		})
	}
}
