package cli

import (
	"os"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// TestFlagsAreDocumented looks for the flags of serve, as it has them, in the
// reference.
func TestFlagsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	flags := 0
	serveCommand().Flags().VisitAll(func(f *pflag.Flag) {
		flags++
		if !strings.Contains(string(text), "--"+f.Name) {
			t.Errorf("--%s is not in the reference", f.Name)
		}
	})
	if flags < 20 {
		t.Errorf("serve has %d flags only", flags)
	}
}
