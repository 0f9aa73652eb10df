package serve

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/auth"
)

const apiKey = "a key of these tests, 32 characters and more"

// meeting are options with all fronts and both kinds of credentials.
func meeting() Options {
	o := guarded()
	o.Auth.APIKeys = []auth.APIKey{{Name: "backend", Key: apiKey}}
	return o
}

// call calls the HTTP API, and returns status and body.
func call(t *testing.T, base, method, path, body, key string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	defer http.DefaultClient.CloseIdleConnections()
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func TestAllFrontsMeetOnOneNode(t *testing.T) {
	addr := run(t, meeting())
	meet(t, addr, addr)
}

// meet has a client of each front in one room at one node, and each front publish to
// it at the other.
func meet(t *testing.T, here, there string) {
	all := token(t, "ada", time.Hour, map[string]any{"join": []string{"*"}, "publish": []string{"*"}})
	hears := listeners(t, here, all)
	for i, publish := range publishers(t, there, all) {
		payload := fmt.Sprintf(`{"n":%d}`, i)
		publish(payload)
		for front, hear := range hears {
			if got := hear(); !strings.Contains(got, payload) {
				t.Errorf("publisher %d: %s gets %s, want %s", i, front, got, payload)
			}
		}
	}
	// To the user: whatever front the session came by.
	if status, body := call(t, rootOf(there), http.MethodPost, "/api/users/ada/publish", `{"event":"hello","args":[{"n":"user"}]}`, apiKey); status != http.StatusOK {
		t.Fatalf("to the user: %d %s", status, body)
	}
	for front, hear := range hears {
		if got := hear(); !strings.Contains(got, `{"n":"user"}`) {
			t.Errorf("%s gets %s, want what is sent to the user", front, got)
		}
	}
}

// listeners are clients in the room: each func returns the next that its client gets.
func listeners(t *testing.T, addr, all string) map[string]func() string {
	t.Helper()
	io, _ := dial(t, addr, `{"token":"`+all+`"}`, nil)
	if got := io.ask("join", "room"); got != "[]" {
		t.Fatal(got)
	}
	base := rootOf(addr)
	stomp := connectSTOMP(t, base, all)
	stomp.subscribe("1", "/topic/room")
	stomp.subscribe("2", "/user/queue/hello")
	plain, _ := connectPlain(t, base, all)
	if got := plain.ask(`{"id":1,"join":{"room":"room"}}`); errorCode(t, got) != "" {
		t.Fatal(got)
	}
	events, status := openStream(t, base, all, "room")
	if events == nil {
		t.Fatal(status)
	}
	return map[string]func() string{
		"Socket.IO":     io.read,
		"STOMP":         func() string { return string(stomp.read().Body) },
		"plain":         plain.read,
		"event streams": func() string { return events.want("hello") },
	}
}

// publishers are clients that are not in the room, and a backend: each func publishes
// one argument.
func publishers(t *testing.T, addr, all string) []func(payload string) {
	t.Helper()
	io, _ := dial(t, addr, `{"token":"`+all+`"}`, nil)
	base := rootOf(addr)
	eve := token(t, "eve", time.Hour, map[string]any{"publish": []string{"*"}})
	stomp := connectSTOMP(t, base, eve)
	plain, _ := connectPlain(t, base, eve)
	return []func(string){
		func(payload string) {
			if got := io.ask("publish", "room", "hello", json.RawMessage(payload)); got != "[]" {
				t.Fatal(got)
			}
		},
		func(payload string) {
			stomp.send("SEND", payload, "destination:/topic/room", "event:hello", "content-type:application/json", "receipt:r")
			stomp.want("RECEIPT", "")
		},
		func(payload string) {
			if got := plain.ask(`{"id":1,"publish":{"room":"room","event":"hello","args":[` + payload + `]}}`); errorCode(t, got) != "" {
				t.Fatal(got)
			}
		},
		func(payload string) {
			status, body := call(t, base, http.MethodPost, "/api/publish", `{"rooms":["room"],"event":"hello","args":[`+payload+`]}`, apiKey)
			if status != http.StatusOK {
				t.Fatal(status, body)
			}
		},
	}
}
