package serve

import (
	"net/http"
	"testing"
)

// TestNothingIsOpenByDefault: without auth and without --open a client may connect on
// every front, and do nothing; a backend is not let in. docs/running.md has the table.
func TestNothingIsOpenByDefault(t *testing.T) {
	addr := run(t, Options{STOMP: STOMP{Path: "/stomp"}, Plain: Plain{"/ws", "/sse"}, Presence: []string{"*"}})
	base := rootOf(addr)
	io, _ := dial(t, addr, "", nil)
	const refused = `this node asks nobody who they are, and is not open: it needs auth in its configuration, or --open for a trial","code":"forbidden"}}]`
	for _, test := range []struct {
		event []any
		want  string
	}{
		{[]any{"join", "room"}, `[{"error":{"message":"not allowed: join \"room\": ` + refused},
		{[]any{"publish", "room", "x", 1}, `[{"error":{"message":"not allowed: publish \"room\": ` + refused},
		{[]any{"presence", "room"}, `[{"error":{"message":"not allowed: presence \"room\": ` + refused},
		{[]any{"refresh", "token"}, `[{"error":{"message":"there are no tokens here","code":"token_invalid"}}]`},
		{[]any{"unknown", 1}, `[{"error":{"message":"no_route: no route takes events of this name","code":"no_route"}}]`},
	} {
		if got := io.ask(test.event...); got != test.want {
			t.Errorf("%v: %s, want %s", test.event, got, test.want)
		}
	}
	for _, test := range []struct{ command, destination, want string }{
		{"SUBSCRIBE", "/topic/room", "forbidden"},
		{"SEND", "/topic/room", "forbidden"},
		{"SEND", "/user/ada/queue/x", "forbidden"},
		{"SEND", "/app/unknown", "no_route"},
	} {
		p := connectSTOMP(t, base, "")
		p.send(test.command, "", "id:1", "destination:"+test.destination)
		p.wantError(test.want)
	}
	plain, _ := connectPlain(t, base, "")
	for request, want := range map[string]string{
		`{"id":1,"join":{"room":"room"}}`:                "forbidden",
		`{"id":1,"publish":{"room":"room","event":"x"}}`: "forbidden",
		`{"id":1,"presence":{"room":"room"}}`:            "forbidden",
		`{"id":1,"event":{"name":"unknown"}}`:            "no_route",
	} {
		if got := plain.ask(request); errorCode(t, got) != want {
			t.Errorf("%s: %s, want %s", request, got, want)
		}
	}
	if _, status := openStream(t, base, "", "room"); status != http.StatusForbidden {
		t.Errorf("an event stream of a room: %d", status)
	}
	for _, key := range []string{"", "x"} {
		if status, body := call(t, base, http.MethodPost, "/api/publish", `{"event":"x"}`, key); status != http.StatusUnauthorized {
			t.Errorf("the API with key %q: %d %s", key, status, body)
		}
	}
}

// TestOpenIsForTryingOut: all fronts let everybody join and publish, and the API is
// open, too.
func TestOpenIsForTryingOut(t *testing.T) {
	o := Options{STOMP: STOMP{Path: "/stomp"}, Plain: Plain{"/ws", "/sse"}, Open: true}
	base := rootOf(run(t, o))
	events, status := openStream(t, base, "", "room")
	if events == nil {
		t.Fatal(status)
	}
	if status, body := call(t, base, http.MethodPost, "/api/publish", `{"rooms":["room"],"event":"hello","args":[1]}`, ""); status != http.StatusOK {
		t.Fatal(status, body)
	}
	events.want("hello")
	p := connectSTOMP(t, base, "")
	p.subscribe("1", "/topic/room")
	p.send("SEND", "x", "destination:/user/ada/queue/x")
	p.wantError("forbidden")
}
