package stomp_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/socketio"
	"github.com/seed-09a96375/belfry/stomp"
)

// missing skips a test that needs what is not there, or fails it with
// BELFRY_REQUIRE=all.
func missing(t *testing.T, what, hint string) {
	t.Helper()
	if os.Getenv("BELFRY_REQUIRE") == "all" {
		t.Fatalf("%s is missing: %s", what, hint)
	}
	t.Skipf("%s is missing: %s", what, hint)
}

// interopNode is what the programs in interop/ expect of a node.
func interopNode(t *testing.T, bus belfry.Bus) *node {
	n := newNodeOn(t, bus, stomp.Options{
		Heartbeat: time.Second,
		Authenticate: func(_ context.Context, l *stomp.Login) (string, error) {
			if l.Login == "nobody" {
				return "", errors.New("nobody may not connect")
			}
			return l.Login, nil
		},
		App: func(ctx context.Context, c *stomp.Conn, m *stomp.Message) error {
			return c.Publish(ctx, "/user/"+m.Header("to")+"/queue/notes", m)
		},
	})
	n.io.OnConnect(func(ctx context.Context, s *socketio.Socket) {
		if err := errors.Join(s.Join("lobby"), s.Emit(ctx, "joined")); err != nil {
			t.Error(err)
		}
	})
	socketio.On(n.io, "relay", func(ctx context.Context, _ *socketio.Socket, args socketio.Args) error {
		return n.io.To("lobby").Emit(ctx, "message", args)
	})
	return n
}

// runInterop runs a program with the URLs of two nodes and wants so many scenarios
// to pass.
func runInterop(t *testing.T, want int, dir, program string, args ...string) {
	t.Helper()
	bus := memory.New(memory.Options{})
	a, b := interopNode(t, bus), interopNode(t, bus)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, append(args, a.url, b.url)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(string(out), "passed: "); got != want {
		t.Errorf("%d scenarios passed, want %d", got, want)
	}
}

// TestStompJS runs the scenarios of interop/stompjs with @stomp/stompjs.
func TestStompJS(t *testing.T) {
	const dir = "../interop/stompjs"
	if _, err := exec.LookPath("node"); err != nil {
		missing(t, "node", "install Node.js 18 or later")
	}
	if _, err := os.Stat(dir + "/node_modules"); err != nil {
		missing(t, dir+"/node_modules", "run npm ci there")
	}
	runInterop(t, 9, dir, "node", "run.js")
}

// TestSpring runs the scenarios of interop/spring with Spring's STOMP client.
func TestSpring(t *testing.T) {
	const dir = "../interop/spring"
	if _, err := exec.LookPath("java"); err != nil {
		missing(t, "java", "install a JDK, 17 or later")
	}
	if _, err := os.Stat(dir + "/target/interop-spring-1.jar"); err != nil {
		missing(t, dir+"/target", "run mvn package there")
	}
	runInterop(t, 5, dir, "java", "-cp", "target/*", "belfry.Scenarios")
}
