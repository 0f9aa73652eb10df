package plain_test

import (
	"bufio"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/seed-09a96375/belfry/internal/fronttest"
	"github.com/seed-09a96375/belfry/plain"
)

// documented returns the JavaScript of the client in docs/plain.md.
func documented(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/plain.md")
	must(t, err)
	found := regexp.MustCompile("(?s)```js\n(class Belfry .*?)```").FindSubmatch(text)
	if found == nil {
		t.Fatal("docs/plain.md has no client")
	}
	return string(found[1])
}

const documentedUse = `
const say = (...a) => console.log(a.join(" "));
const c = new Belfry(process.argv[1], "", ["r"], {
  message: (m) => say("message", m.event, JSON.stringify(m.args)),
  reset: () => say("reset"),
});
process.stdin.on("data", async (line) => {
  switch (String(line).trim()) {
  case "publish": say("published", JSON.stringify(await c.ask("publish", { room: "r", event: "mine", args: [1] })).length > 2); break;
  case "wrong": await c.ask("join", {}).catch((e) => say("refused", e.code)); break;
  case "end": c.close(); process.stdin.destroy();
  }
});
`

// TestDocumentedClient: the client of the documentation does what it promises, also
// when its connection breaks.
func TestDocumentedClient(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil || exec.Command(node, "--experimental-websocket", "-e", "new WebSocket('ws://127.0.0.1:1').onerror = () => {}").Run() != nil {
		missing(t, "Node.js with WebSocket", "install 20.10 or later")
	}
	bus := memoryBus()
	n := newNodeOn(t, bus, plain.Options{})
	cmd := exec.Command(node, "--experimental-websocket", "-e", documented(t)+documentedUse, "ws"+strings.TrimPrefix(n.url, "http")+"/ws")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	want := func(line string) {
		t.Helper()
		if !lines.Scan() || lines.Text() != line {
			t.Fatalf("the client says %q, want %q", lines.Text(), line)
		}
	}
	tell := func(line string) {
		t.Helper()
		_, err := in.Write([]byte(line + "\n"))
		must(t, err)
	}
	fronttest.Eventually(t, "the client is in the room", func() bool {
		all, err := n.io.In("r").FetchSockets(t.Context())
		return err == nil && len(all) == 1
	})
	emit(t, n, "1", "r")
	want("message 1 []")
	tell("publish")
	want("message mine [1]")
	want("published true")
	tell("wrong")
	want("refused invalid_request")
	must(t, n.io.In("r").DisconnectSockets(t.Context(), true))
	emit(t, n, "2", "r")
	want("message 2 []")
	emit(t, n, "3", "r")
	want("message 3 []")
	tell("end")
	must(t, cmd.Wait())
}
