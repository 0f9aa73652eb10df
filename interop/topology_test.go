package interop

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

const (
	topologyStart = 4 * time.Minute // on a machine that does something else, too
	topologyTime  = 2 * time.Minute
	speakers      = 3
	sayings       = 100 // of each
)

// TestTopology runs all of deploy/compose.yaml from local servers: what clients say
// through nginx to any node reaches those who listen, once and in order, and
// becomes one row each in Postgres by way of Kafka.
func TestTopology(t *testing.T) {
	for _, program := range []string{"redis-server", "nginx", "java"} {
		tool(t, program)
	}
	top := startTopology(t)
	ctx, cancel := context.WithTimeout(t.Context(), topologyTime)
	defer cancel()
	heard := listen(ctx, t, top["clients"]+"/sse?room=chat:all&token="+top["token"])
	said := make(chan error, speakers)
	for who := range speakers {
		go func() { said <- speak(ctx, top, who) }()
	}
	for range speakers {
		if err := <-said; err != nil {
			t.Fatal(err)
		}
	}
	next := make([]int, speakers)
	for range speakers * sayings {
		select {
		case s := <-heard:
			if s.N != next[s.Who] {
				t.Fatalf("heard %d of speaker %d, want %d", s.N, s.Who, next[s.Who])
			}
			next[s.Who]++
		case <-ctx.Done():
			t.Fatalf("heard %v of %d each", next, sayings)
		}
	}
	awaitRows(ctx, t, top["archive"], speakers*sayings)
}

// startTopology returns what the script prints, by name.
func startTopology(t *testing.T) map[string]string {
	t.Helper()
	build := exec.Command("go", "build", "-o", "bin/", "./cmd/belfry")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build ./cmd/belfry: %v\n%s", err, out)
	}
	cmd := exec.Command("scripts/topology")
	cmd.Dir = ".."
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(topologyStart, func() { _ = cmd.Process.Signal(syscall.SIGTERM) })
	t.Cleanup(func() {
		late.Stop()
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	lines := make(map[string]string)
	for s := bufio.NewScanner(out); s.Scan(); {
		name, value, _ := strings.Cut(s.Text(), " ")
		if name == "ready:" {
			return lines
		}
		lines[name] = strings.TrimSpace(value)
	}
	missing := t.Skipf
	if os.Getenv("BELFRY_REQUIRE") == "all" || !strings.Contains(problems.String(), "is not there") {
		missing = t.Fatalf
	}
	missing("scripts/topology: %s", problems.String())
	return nil
}

type saying struct {
	Who  int    `json:"who"`
	N    int    `json:"n"`
	ID   string `json:"id"`
	Room string `json:"room"`
}

// listen returns what an event stream brings, once it is open.
func listen(ctx context.Context, t *testing.T, url string) <-chan saying {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	heard, open := make(chan saying, speakers*sayings), make(chan struct{})
	go func() {
		for s := bufio.NewScanner(res.Body); s.Scan(); {
			if s.Text() == "event: stream:open" {
				close(open)
			}
			var m struct {
				Event string
				Args  []saying
			}
			data, ok := strings.CutPrefix(s.Text(), "data: ")
			if ok && json.Unmarshal([]byte(data), &m) == nil && m.Event == "message" && len(m.Args) == 1 {
				heard <- m.Args[0]
			}
		}
	}()
	select {
	case <-open:
	case <-ctx.Done():
		t.Fatal("the event stream did not open")
	}
	return heard
}

// speak says all that one speaker has to say. Each is acked before the next.
func speak(ctx context.Context, top map[string]string, who int) error {
	url := "ws" + strings.TrimPrefix(top["clients"], "http") + "/ws?token=" + top["token"]
	ws, _, err := websocket.Dial(ctx, url, nil)
	if err != nil {
		return err
	}
	defer func() { _ = ws.CloseNow() }()
	ask := func(id int, name string, body any) error {
		text, err := json.Marshal(map[string]any{"id": id, name: body})
		if err != nil {
			return err
		}
		if err := ws.Write(ctx, websocket.MessageText, text); err != nil {
			return err
		}
		return answered(ctx, ws, id)
	}
	if err := ask(1, "connect", struct{}{}); err != nil {
		return err
	}
	for n := range sayings {
		s := saying{Who: who, N: n, ID: fmt.Sprintf("%d-%d", who, n), Room: "all"}
		if err := ask(n+2, "event", map[string]any{"name": "message", "args": []any{s}}); err != nil {
			return err
		}
	}
	return nil
}

func answered(ctx context.Context, ws *websocket.Conn, id int) error {
	for {
		_, text, err := ws.Read(ctx)
		if err != nil {
			return err
		}
		var answer struct {
			ID    int
			Error any
		}
		if err := json.Unmarshal(text, &answer); err != nil {
			return err
		}
		switch {
		case answer.ID == id && answer.Error != nil:
			return fmt.Errorf("request %d: %s", id, text)
		case answer.ID == id:
			return nil
		}
	}
}

// awaitRows waits until the archive has written as many rows, and no more.
func awaitRows(ctx context.Context, t *testing.T, url string, want int) {
	t.Helper()
	for {
		var stats struct {
			Rows int
			Lag  struct{ Records int }
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		err = json.NewDecoder(res.Body).Decode(&stats)
		_ = res.Body.Close()
		switch {
		case err != nil:
			t.Fatal(err)
		case stats.Rows == want && stats.Lag.Records == 0:
			return
		case stats.Rows > want:
			t.Fatalf("%d rows of %d messages", stats.Rows, want)
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("%d rows of %d messages, lag %d", stats.Rows, want, stats.Lag.Records)
		}
	}
}
