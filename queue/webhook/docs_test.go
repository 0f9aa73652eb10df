//go:build unix

package webhook_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-09a96375/belfry/queue/webhook"
)

// block returns the program in a language that the documentation shows.
func block(t *testing.T, language string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/webhooks.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "```"+language+"\n")
	program, _, closed := strings.Cut(rest, "```\n")
	if !found || !closed {
		t.Fatalf("docs/webhooks.md shows no %s", language)
	}
	return program
}

// TestTheGoOfTheDocumentation: it is that of an example whose output is checked.
func TestTheGoOfTheDocumentation(t *testing.T) {
	example, err := os.ReadFile("../../client/example_webhook_test.go")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(example), block(t, "go")) {
		t.Error("docs/webhooks.md shows other Go than client/example_webhook_test.go")
	}
}

// TestThePythonOfTheDocumentation runs it, and sends it an event, and one that is
// signed with another secret.
func TestThePythonOfTheDocumentation(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("BELFRY_REQUIRE") == "all" {
			t.Fatal("python3 is not installed, and BELFRY_REQUIRE is all")
		}
		t.Skip("python3 is not installed")
	}
	file := filepath.Join(t.TempDir(), "receiver.py")
	if err := os.WriteFile(file, []byte(block(t, "python")), 0o600); err != nil {
		t.Fatal(err)
	}
	secret := newSecret()
	cmd := exec.CommandContext(t.Context(), python, file) //nolint:gosec // that of the documentation
	cmd.Env = append(os.Environ(), "WEBHOOK_SECRET="+secret, "PORT=0")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	port, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	o := webhook.Options{Name: "w", URL: "http://127.0.0.1:" + strings.TrimSpace(port), Secret: newSecret(), OldSecret: secret}
	a, err := newWebhook(t, o).Handle(t.Context(), delivery(true))
	if err != nil || string(a.Args) != `[{"thanks": "ada"}]` {
		t.Errorf("answer is %+v, %v", a, err)
	}
	o.OldSecret = ""
	if _, err := newWebhook(t, o).Handle(t.Context(), delivery(true)); err == nil || err.Error() != "status 401" {
		t.Errorf("error is %v, want status 401", err)
	}
}
