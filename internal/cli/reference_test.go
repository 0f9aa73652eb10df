package cli

import (
	"os"
	"regexp"
	"testing"

	"github.com/spf13/pflag"
)

var flagRow = regexp.MustCompile("(?m)^\\| `--([a-z-]+)` \\| (?:`([^`]*)`)? ?\\|")

// TestFlagsAreDocumented compares docs/running.md with the flags of serve.
func TestFlagsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/running.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := make(map[string]string)
	for _, m := range flagRow.FindAllStringSubmatch(string(text), -1) {
		documented[m[1]] = m[2]
	}
	serveCommand().Flags().VisitAll(func(f *pflag.Flag) {
		standard, ok := documented[f.Name]
		if f.DefValue == "[]" {
			f.DefValue = ""
		}
		if !ok || standard != f.DefValue {
			t.Errorf("--%s with default %q is documented: %v, with %q", f.Name, f.DefValue, ok, standard)
		}
		delete(documented, f.Name)
	})
	for name := range documented {
		t.Errorf("--%s is documented, but not a flag", name)
	}
}
