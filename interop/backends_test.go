package interop

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

// TestBackendsDocument follows docs/backends.md, command by command, while a browser
// has the page open on both nodes.
func TestBackendsDocument(t *testing.T) {
	nodeJS, browser := tool(t, "node"), chromium(t)
	tool(t, "curl")
	tool(t, "redis-cli")
	installed(t, "js/node_modules", "scripts/install clients")
	installed(t, "../internal/demo/client/stomp.umd.min.js", "scripts/fetch-client")
	s := &stranger{redis: redistest.Start(t)}
	pages := startDemo(t, "--redis", s.redis.URL(), "--backends", "0")
	s.node = strings.TrimSuffix(pages[0], "/")
	control := httptest.NewServer(s)
	t.Cleanup(control.Close)
	t.Setenv("TMPDIR", t.TempDir()) // the browser's profile
	results := run(t, []string{nodeJS, "js/backends.js", string(asJSON(map[string]any{
		"browser": browser, "control": control.URL, "pages": []string{pages[0] + "orders/", pages[1] + "orders/"},
	}))})
	check(t, []string{"Push", "Consume", "Answer", "Tell"}, results)
	if left := s.redis.Must("XLEN", "TEST_EVENT_TO_BACKEND"); left != ":1" && left != ":0" {
		t.Errorf("the stream has %s entries, want no more than what waits to be trimmed", left)
	}
	if pending, err := s.shell("redis-cli XPENDING TEST_EVENT_TO_BACKEND CONSUMER_GROUP"); err != nil || !strings.HasPrefix(pending, "0") {
		t.Errorf("pending is %q, %v; want nothing", pending, err)
	}
}

// stranger reads the document and types what it says.
type stranger struct {
	redis        *redistest.Server
	node         string // base URL
	entry, reply string // copied from what XREADGROUP has shown
}

var (
	entryShown = regexp.MustCompile(`(?m)^\d+-\d+$`)
	replyShown = regexp.MustCompile(`(?m)^reply\n(.*)$`)
	copied     = regexp.MustCompile(`^(ENTRY|REPLY)=`)
)

// ServeHTTP follows the section that the path names.
func (s *stranger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := s.follow(strings.TrimPrefix(r.URL.Path, "/")); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func (s *stranger) follow(section string) error {
	text, err := os.ReadFile("../docs/backends.md")
	if err != nil {
		return err
	}
	_, body, found := strings.Cut(string(text), "\n## "+section)
	body, _, _ = strings.Cut(body, "\n## ")
	did := 0
	for line := range strings.Lines(body) {
		command, isCommand := strings.CutPrefix(strings.TrimSpace(line), "$ ")
		if !isCommand || copied.MatchString(command) {
			continue
		}
		out, err := s.shell(command)
		if err != nil {
			return fmt.Errorf("%s: %w: %s", command, err, out)
		}
		s.look(out)
		did++
	}
	if !found || did == 0 {
		return fmt.Errorf("the document has no commands in a section %s", section)
	}
	return nil
}

// look copies what the document says is to be copied.
func (s *stranger) look(out string) {
	if m := replyShown.FindStringSubmatch(out); m != nil {
		s.entry, s.reply = entryShown.FindString(out), m[1]
	}
}

// shell runs a command with the addresses of this test.
func (s *stranger) shell(command string) (string, error) {
	command = strings.Replace(command, "redis-cli ", "redis-cli -e -u "+s.redis.URL()+" ", 1)
	command = strings.ReplaceAll(command, "http://127.0.0.1:3000", s.node)
	command = strings.Replace(command, "curl -s ", "curl -sS --fail-with-body ", 1)
	cmd := exec.Command("sh", "-c", command)
	cmd.Env = append(os.Environ(), "ENTRY="+s.entry, "REPLY="+s.reply)
	out, err := cmd.CombinedOutput()
	return string(out), err
}
