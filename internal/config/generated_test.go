package config_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/seed-09a96375/belfry/internal/config"
)

func TestGeneratedFilesAreUpToDate(t *testing.T) {
	for name, write := range map[string]func(io.Writer) error{
		"../../docs/configuration.md": config.WriteReference,
		"../../deploy/belfry.yaml":    config.WriteSample,
	} {
		var want bytes.Buffer
		if err := write(&want); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(name)
		if err != nil || !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%s is not what the tree says: run make gen (%v)", name, err)
		}
	}
}

var off = regexp.MustCompile(`(?m)^( *)#(\S)`)

var together = regexp.MustCompile(`: (auth\.|routes\[0\]|sources\[0\]|webhooks\[0\])`)

// TestSampleIsRight loads the sample as it is, and with all its settings on.
func TestSampleIsRight(t *testing.T) {
	var b bytes.Buffer
	if err := config.WriteSample(&b); err != nil {
		t.Fatal(err)
	}
	if _, err := load(t, files{name: b.String()}, nil); err != nil {
		t.Errorf("as it is: %v", err)
	}
	on := off.ReplaceAllString(b.String(), "$1$2")
	f := files{name: on, "/etc/belfry/tokens.pem": "x"}
	for _, secret := range []string{"/run/secrets/tokens", "/run/secrets/hook", "/run/secrets/orders", "/run/secrets/billing", "/run/secrets/billing-token"} {
		f[secret] = strings.Repeat("s", 32)
	}
	f["/etc/belfry/ca.pem"] = "x"
	_, err := load(t, f, nil)
	var faults config.Faults
	if !errors.As(err, &faults) {
		t.Fatalf("all on: %v, want the faults of values that go without each other", err)
	}
	for _, fault := range faults {
		// What is left is for Validate: the files are not real, tokens are verified in
		// two ways, a route cannot have all that there is.
		if !together.MatchString(fault.Error()) || strings.Contains(fault.Error(), "not a setting") || strings.Contains(fault.Error(), ": must be a") && !strings.Contains(fault.Error(), "not PEM") {
			t.Errorf("all on: %v", fault)
		}
	}
}
