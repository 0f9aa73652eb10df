package interop

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/interop/proxy"
)

// TestChat opens the demo's page in two real browsers, one on each of two nodes.
func TestChat(t *testing.T) {
	nodeJS := tool(t, "node")
	installed(t, "js/node_modules", "scripts/install clients")
	installed(t, "../internal/demo/client/socket.io.min.js", "scripts/fetch-client")
	browser := chromium(t)
	pages := startDemo(t)
	p, err := proxy.New(strings.Trim(strings.TrimPrefix(pages[0], "http://"), "/"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	control := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { p.Cut() }))
	t.Cleanup(control.Close)

	results := run(t, []string{nodeJS, "js/chat.js", string(asJSON(map[string]any{
		"browser": browser, "profiles": t.TempDir(), "control": control.URL,
		"pages": []string{"http://" + p.Addr() + "/chat/", pages[1] + "chat/"},
	}))})
	check(t, []string{
		"chat-join", "chat-talk", "chat-plain-text", "chat-is-kept", "chat-rooms", "chat-recovers", "chat-recovers-from-a-cut",
		"chat-leave", "chat-no-errors",
	}, results)
}

// chromium finds a browser: CHROMIUM names it, or it is on the path.
func chromium(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("CHROMIUM"); path != "" {
		return path
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	missing(t, "no Chromium is installed", "scripts/install")
	return ""
}

// startDemo runs `belfry demo` until the test ends and returns the addresses of
// its pages.
func startDemo(t *testing.T, args ...string) []string {
	t.Helper()
	cmd := exec.Command(build(t, "..", "./cmd/belfry"), append([]string{"demo", "--listen", "127.0.0.1:0"}, args...)...)
	cmd.Stderr = &testWriter{t: t}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopDemo(t, cmd) })
	pages := make(chan []string, 1)
	go func() { pages <- addresses(out) }()
	select {
	case all := <-pages:
		if len(all) != 2 {
			t.Fatalf("the demo printed the addresses %q, want two", all)
		}
		return all
	case <-time.After(20 * time.Second):
		t.Fatal("the demo printed no addresses")
	}
	return nil
}

func stopDemo(t *testing.T, cmd *exec.Cmd) {
	kill := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	_ = cmd.Process.Signal(os.Interrupt)
	if err := cmd.Wait(); err != nil {
		t.Errorf("the demo ended: %v", err)
	}
}

var nodeLine = regexp.MustCompile(`^\s*node-\d\s+(http://\S+)$`)

// addresses reads the addresses of two nodes, and drops what follows.
func addresses(out io.Reader) []string {
	var all []string
	lines := bufio.NewScanner(out)
	for len(all) < 2 && lines.Scan() {
		if m := nodeLine.FindStringSubmatch(lines.Text()); m != nil {
			all = append(all, m[1])
		}
	}
	return all
}

// testWriter logs what a program says.
type testWriter struct{ t *testing.T }

func (w *testWriter) Write(p []byte) (int, error) {
	w.t.Logf("demo: %s", p)
	return len(p), nil
}

// build compiles a program of the module in dir, with the race detector if the
// test has it.
func build(t *testing.T, dir, pkg string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "program")
	args := slices.Concat([]string{"build", "-o", out}, raceFlag(), []string{pkg})
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", pkg, err, b)
	}
	return out
}
