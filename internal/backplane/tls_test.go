package backplane_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-09a96375/belfry/internal/backplane"
)

func TestTLSErrors(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		url       string
		tls       backplane.TLS
		err, hint string
	}{
		"no such file":   {"rediss://host", backplane.TLS{CA: "nowhere.pem"}, "read authorities: open nowhere.pem", "check the files"},
		"no certificate": {"rediss://host", backplane.TLS{CA: empty}, "no certificate in " + empty, "check the files"},
		"no key":         {"rediss://host", backplane.TLS{Certificate: empty}, "go together", "check the files"},
		"bad pair":       {"rediss://host", backplane.TLS{Certificate: empty, Key: empty}, "read certificate and key", "check the files"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := backplane.Open(t.Context(), backplane.Options{URL: test.url, TLS: test.tls})
			var own *backplane.Error
			if !errors.As(err, &own) || !strings.Contains(err.Error(), test.err) || !strings.Contains(own.Hint(), test.hint) {
				t.Errorf("error is %v, want %q with the hint %q", err, test.err, test.hint)
			}
		})
	}
}
