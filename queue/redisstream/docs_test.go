//go:build unix

package redisstream

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

// TestDocumentedCommands runs the redis-cli commands of docs/queues.md, one after the
// other, as a stranger would.
func TestDocumentedCommands(t *testing.T) {
	if _, err := exec.LookPath("redis-cli"); err != nil {
		if os.Getenv("BELFRY_REQUIRE") == "all" {
			t.Fatal("redis-cli is not installed, and BELFRY_REQUIRE is all")
		}
		t.Skip("redis-cli is not installed")
	}
	server := redistest.Start(t)
	q := open(t, Options{Redis: at(server), Groups: []string{"billing"}, TrimEvery: -1})
	server.Must("XADD", q.Key(), "1763837000123-0", "id", "a1", "event", "order", "args", "[]", "reply", q.names.answer("a1"))
	commands := documented(t)
	if len(commands) != 7 {
		t.Fatalf("found %d commands: %q", len(commands), commands)
	}
	for _, c := range commands {
		c = strings.Replace(c, "redis-cli", "redis-cli -u "+server.URL(), 1)
		out, err := exec.CommandContext(t.Context(), "sh", "-c", c).CombinedOutput()
		if err != nil || strings.Contains(string(out), "ERR") {
			t.Errorf("%s\n%v: %s", c, err, out)
		}
	}
	if a, err := q.Await(t.Context(), "a1"); err != nil || string(a.Args) != `[{"total":10}]` {
		t.Errorf("answer is %+v, %v", a, err)
	}
	s, err := q.Stats(t.Context())
	if err != nil || s.Groups[0].Pending != 0 || s.Dead != 1 {
		t.Errorf("stats are %+v, %v; want nothing pending and a dead letter", s, err)
	}
}

// documented returns what follows the prompts, with here-documents.
func documented(t *testing.T) (commands []string) {
	text, err := os.ReadFile("../../docs/queues.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split(string(text), "\n$ ")[1:] {
		command, rest, _ := strings.Cut(part, "\n")
		if !strings.HasPrefix(command, "redis-cli") {
			continue
		}
		if strings.HasSuffix(command, "<<'END'") {
			body, _, _ := strings.Cut(rest, "\nEND\n")
			command += "\n" + body + "\nEND\n"
		}
		commands = append(commands, command)
	}
	return commands
}
