package interop

import (
	"bufio"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/interop/proxy"
)

// ordersConfig is what two nodes are started with.
const ordersConfig = "../examples/orders/belfry.yaml"

// TestOrders runs examples/orders on two nodes and a real Redis, with two backends in
// Go and one in Python, and clients in Node.js and Java. The backends are there before
// the nodes: no start order is needed.
func TestOrders(t *testing.T) {
	nodeJS, java := tool(t, "node"), tool(t, "java")
	installed(t, "stompjs/node_modules", "scripts/install clients")
	installed(t, "spring/target/interop-spring-1.jar", "scripts/install clients")
	o := newOrders(t)
	backends := o.backends(t)
	nodes := []string{o.node(t), o.node(t)}
	names := []string{
		"orders-each-event-once", "orders-answers", "orders-greetings", "orders-notification-once",
		"orders-poison-on-the-channel", "orders-stream-without-gaps", "orders-foreign-entry", "orders-nobody-may",
		"orders-no-silo", "orders-heart-beats", "orders-fronts-meet", "orders-backend-killed",
	}
	t.Run("spring", func(t *testing.T) { o.spring(t, java, nodes) })
	results := run(t, []string{nodeJS, "stompjs/orders.js", string(asJSON(map[string]any{
		"nodes": nodes, "api": "http://" + o.notifications, "control": o.control(t, backends), "scenarios": names,
		"token": o.token(t, "--user", "ada"), "publisher": o.token(t, "--user", "bob", "--join", "*", "--publish", "toast"),
		"backend": o.key,
	}))})
	check(t, names, results)
}

// orders is what nodes and backends of a test share.
type orders struct {
	redis           *redistest.Server
	belfry, backend string   // programs
	env             []string // with the secret of the tokens
	api             string   // address of the first node
	notifications   string   // address of backend-A
	ports           []string // of nodes to come
	key             string   // for the API
}

func newOrders(t *testing.T) *orders {
	t.Helper()
	o := &orders{redis: redistest.Start(t), belfry: build(t, "..", "./cmd/belfry"), backend: build(t, "..", "./examples/orders/backend")}
	for range 2 {
		o.ports = append(o.ports, redistest.FreePort(t))
	}
	o.api, o.notifications = "127.0.0.1:"+o.ports[0], "127.0.0.1:"+redistest.FreePort(t)
	o.env = append(os.Environ(), "BELFRY_AUTH_SECRET="+rand.Text()+rand.Text(), "BELFRY_REDIS="+o.redis.URL())
	o.key = o.token(t, "--user", "backends", "--api", "--publish", "*")
	return o
}

// token is what `belfry token` signs.
func (o *orders) token(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(o.belfry, append([]string{"token", "-c", ordersConfig}, args...)...)
	cmd.Env = o.env
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("belfry token: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// node runs `belfry serve` until the test ends, and returns its URL once it is ready.
func (o *orders) node(t *testing.T) string {
	t.Helper()
	address := "127.0.0.1:" + o.ports[0]
	o.ports = o.ports[1:]
	o.process(t, o.env, o.belfry, "serve", "-c", ordersConfig, "--listen", address, "--drain", "100ms", "--drain-delay", "0s")
	awaitReady(t, "http://"+address)
	return "http://" + address
}

func awaitReady(t *testing.T, base string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Second}
	awaitThat(t, base+" ready", func() bool {
		r, err := client.Get(base + "/healthz/ready")
		if err != nil {
			return false
		}
		_ = r.Body.Close()
		return r.StatusCode == http.StatusOK
	})
}

// backends starts two in Go and one in Python.
func (o *orders) backends(t *testing.T) map[string]*exec.Cmd {
	t.Helper()
	python := installed(t, "../.cache/interop/python/bin/python", "scripts/install clients")
	env := append(o.env, "BELFRY_KEY="+o.key)
	all := map[string]*exec.Cmd{"backend-P": o.process(t, env, python, "../examples/orders/backend.py", "--redis", o.redis.URL())}
	for name, listen := range map[string]string{"backend-A": o.notifications, "backend-B": ""} {
		all[name] = o.process(t, env, o.backend, "-name", name, "-redis", o.redis.URL(), "-api", "http://"+o.api, "-listen", listen)
	}
	return all
}

// process runs a program until the test ends. That it was killed is no fault.
func (o *orders) process(t *testing.T, env []string, argv ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = env
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		kill := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
		defer kill.Stop()
		_ = cmd.Process.Signal(syscall.SIGTERM)
		err := cmd.Wait()
		if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); err != nil && !(ok && status.Signaled()) {
			t.Errorf("%s: %v", argv[0], err)
		}
		_ = log.Close()
		if text, err := os.ReadFile(log.Name()); t.Failed() && err == nil {
			t.Logf("%v:\n%s", argv, text)
		}
	})
	return cmd
}

// control lets the client program run Redis commands and kill backends.
func (o *orders) control(t *testing.T, backends map[string]*exec.Cmd) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /redis", func(w http.ResponseWriter, r *http.Request) {
		var words []string
		err := json.NewDecoder(r.Body).Decode(&words)
		if err == nil {
			_, err = o.redis.Ask(r.Context(), words...)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	mux.HandleFunc("POST /kill", func(w http.ResponseWriter, r *http.Request) {
		var name string
		_ = json.NewDecoder(r.Body).Decode(&name)
		if cmd := backends[name]; cmd == nil || cmd.Process.Kill() != nil {
			http.Error(w, "there is no backend "+name, http.StatusNotFound)
		}
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

// spring has Spring's STOMP client place an order.
func (o *orders) spring(t *testing.T, java string, nodes []string) {
	cmd := exec.CommandContext(t.Context(), java, "-cp", "spring/target/*", "belfry.Scenarios", nodes[0], nodes[1], o.token(t, "--user", "spring"))
	out, err := cmd.CombinedOutput()
	if lines := bufio.NewScanner(strings.NewReader(string(out))); err != nil || !lines.Scan() || lines.Text() != "passed: orders" {
		t.Errorf("Spring's client: %v\n%s", err, out)
	}
}

// TestOrdersPage opens the demo's page of orders in a real browser, on two nodes, the
// second through a proxy that can be cut.
func TestOrdersPage(t *testing.T) {
	nodeJS, browser := tool(t, "node"), chromium(t)
	installed(t, "js/node_modules", "scripts/install clients")
	installed(t, "../internal/demo/client/stomp.umd.min.js", "scripts/fetch-client")
	pages := startDemo(t)
	p, err := proxy.New(strings.Trim(strings.TrimPrefix(pages[1], "http://"), "/"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	control := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { p.Cut() }))
	t.Cleanup(control.Close)
	t.Setenv("TMPDIR", t.TempDir()) // the browser's profile
	names := []string{
		"orders-page-backends", "orders-page-order", "orders-page-refused", "orders-page-tests", "orders-page-greeting",
		"orders-page-notification", "orders-page-reconnects", "orders-page-no-errors",
	}
	results := run(t, []string{nodeJS, "js/orders.js", string(asJSON(map[string]any{
		"browser": browser, "control": control.URL, "scenarios": names,
		"pages": []string{pages[0] + "orders/", "http://" + p.Addr() + "/orders/"},
	}))})
	check(t, names, results)
}
