package interop

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/interop/proxy"
	"github.com/seed-09a96375/belfry/interop/subject"
)

// away is how long a browser that is gone is waited for.
const away = "8s"

// TestMeet shows a screen from one real browser to others, over two nodes.
func TestMeet(t *testing.T) {
	m := newMeeting(t)
	nodes := start(t, m.program, "-bundle", m.bundle, "-nodes", "2", "-away", away)
	m.run(t, nodes.URLs["node-1"], nodes.URLs["node-2"], http.NotFound, "meet-killed-browser")
}

// TestMeetOverRedis does the same with nodes that are processes, one of which is
// killed.
func TestMeetOverRedis(t *testing.T) {
	m := newMeeting(t)
	r := redistest.Start(t)
	args := []string{m.program, "-bundle", m.bundle, "-redis", r.URL(), "-away", away}
	first := start(t, args...)
	second := startMortal(t, args...)
	kill := func(http.ResponseWriter, *http.Request) { _ = syscall.Kill(second.Pid(), syscall.SIGKILL) }
	m.run(t, first.URLs["node-1"], second.URLs["node-1"], kill, "meet-killed-node")
}

// startMortal starts a server that may be killed.
func startMortal(t *testing.T, argv ...string) *subject.Subject {
	t.Helper()
	s, err := subject.Start(".", argv...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if stderr, err := s.Stop(); t.Failed() {
			t.Logf("the second node: %v\n%s", err, stderr)
		}
	})
	return s
}

// meeting is what the tests of meet need.
type meeting struct{ nodeJS, browser, bundle, program string }

func newMeeting(t *testing.T) meeting {
	t.Helper()
	m := meeting{nodeJS: tool(t, "node"), browser: chromium(t)}
	installed(t, "js/node_modules", "scripts/install clients")
	bundle, err := filepath.Abs(installed(t, "../internal/demo/client/socket.io.min.js", "scripts/fetch-client"))
	if err != nil {
		t.Fatal(err)
	}
	m.bundle = bundle
	m.program = build(t, ".", "./meetnode")
	return m
}

// run opens the pages of the nodes, the second through a proxy that can be cut.
// The last scenario is how the second ends.
func (m meeting) run(t *testing.T, first, second string, kill http.HandlerFunc, last string) {
	t.Helper()
	p, err := proxy.New(strings.TrimPrefix(second, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /cut", func(http.ResponseWriter, *http.Request) { p.Cut() })
	mux.HandleFunc("POST /kill", kill)
	control := httptest.NewServer(mux)
	t.Cleanup(control.Close)
	t.Setenv("TMPDIR", t.TempDir()) // the browsers' profiles

	names := []string{
		"meet-join", "meet-share", "meet-late", "meet-reconnect", "meet-stop", "meet-other-way", "meet-both",
		"meet-forgotten", "meet-tab-closed", "meet-no-errors", last,
	}
	results := run(t, []string{m.nodeJS, "js/meet.js", string(asJSON(map[string]any{
		"browser": m.browser, "control": control.URL, "scenarios": names,
		"pages": []string{first + "/meet/", "http://" + p.Addr() + "/meet/"},
	}))})
	check(t, names, results)
}
