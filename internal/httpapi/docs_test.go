package httpapi_test

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/seed-09a96375/belfry/internal/httpapi"
)

const docs = "../../docs/api.md"

// example is a script of the documentation, and what it prints: … is any text.
type example struct{ script, output string }

var blocks = regexp.MustCompile("(?s)\n```sh\n(.*?)```\n\n```json\n(.*?)```\n")

func examples(t *testing.T) []example {
	t.Helper()
	text, err := os.ReadFile(docs)
	must(t, err)
	var all []example
	for _, m := range blocks.FindAllStringSubmatch(string(text), -1) {
		all = append(all, example{m[1], m[2]})
	}
	if len(all) < 9 || len(all) != strings.Count(string(text), "\n```sh\n") {
		t.Fatalf("%d examples are found: each has a block sh, an empty line, and a block json", len(all))
	}
	return all
}

// TestDocumentation runs the examples of docs/api.md, in their order.
func TestDocumentation(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		if os.Getenv("BELFRY_REQUIRE") == "all" {
			t.Fatal("curl is missing")
		}
		t.Skip("curl is missing")
	}
	c := newCluster(t, httpapi.Options{Answers: answers{}, Version: "v1.0.0"})
	enter(t, c.a, "ada-1", "ada", "chat", "team/1")
	enter(t, c.b, "bob-1", "", "chat")
	server := httptest.NewServer(c.api)
	defer server.Close()
	for _, e := range examples(t) {
		cmd := exec.CommandContext(t.Context(), "sh", "-eu", "-c", e.script)
		cmd.Env = append(os.Environ(), "URL="+server.URL, "KEY="+key)
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("%s: %v", e.script, err)
		}
		pattern := strings.ReplaceAll(regexp.QuoteMeta(e.output), "…", ".*")
		if !regexp.MustCompile("^" + pattern + "$").Match(withoutData(out)) {
			t.Errorf("%s\nprints\n%s\nwant\n%s", e.script, out, e.output)
		}
	}
}

// withoutData leaves out what guests have of their own.
func withoutData(out []byte) []byte {
	return regexp.MustCompile(`,"data":\{"n":1\}`).ReplaceAll(out, nil)
}

// TestCodesAreDocumented: the table of errors has all codes, with their statuses.
func TestCodesAreDocumented(t *testing.T) {
	text, err := os.ReadFile(docs)
	must(t, err)
	documented := make(map[string]string)
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| ([0-9]{3}) \\|").FindAllStringSubmatch(string(text), -1) {
		documented[m[1]] = m[2]
	}
	for code, status := range httpapi.Statuses() {
		if documented[code] != status {
			t.Errorf("%s has status %s, and %q in %s", code, status, documented[code], docs)
		}
		delete(documented, code)
	}
	for code := range documented {
		t.Errorf("%s documents %s, which does not exist", docs, code)
	}
}
