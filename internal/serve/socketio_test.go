package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/golang-jwt/jwt/v5"

	"github.com/seed-09a96375/belfry/auth"
)

const secret = "a secret of these tests, 32 bytes and more"

func token(t *testing.T, user string, lasts time.Duration, grants map[string]any) string {
	t.Helper()
	text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": user, "exp": time.Now().Add(lasts).Unix(), "belfry": grants,
	}).SignedString([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// peer is a client of the main namespace.
type peer struct {
	t    *testing.T
	conn *websocket.Conn
	acks int
}

// dial connects with an auth payload, and returns what the server says to it.
func dial(t *testing.T, addr, payload string, h http.Header) (*peer, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, "ws://"+addr+"?EIO=4&transport=websocket", &websocket.DialOptions{HTTPHeader: h})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	p := &peer{t: t, conn: conn}
	if open := p.read(); !strings.HasPrefix(open, "0{") {
		t.Fatalf("opened with %q", open)
	}
	p.write("40" + payload)
	return p, p.read()
}

func (p *peer) write(text string) {
	p.t.Helper()
	if err := p.tryWrite(text); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) tryWrite(text string) error { return writeText(p.t, p.conn, text) }

func writeText(t *testing.T, conn *websocket.Conn, text string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return conn.Write(ctx, websocket.MessageText, []byte(text))
}

// read returns the next message that is no ping; "closed" at the end.
func (p *peer) read() string {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	for {
		_, b, err := p.conn.Read(ctx)
		switch {
		case ctx.Err() != nil:
			p.t.Fatal("nothing comes within a minute")
		case err != nil:
			return "closed"
		case string(b) != "2":
			return string(b)
		}
	}
}

// ask emits an event and returns the ack, without its number; what comes before it
// must be nothing.
func (p *peer) ask(event ...any) string {
	p.t.Helper()
	args, err := json.Marshal(event)
	if err != nil {
		p.t.Fatal(err)
	}
	p.acks++
	p.write(fmt.Sprintf("42%d%s", p.acks, args))
	got, ok := strings.CutPrefix(p.read(), fmt.Sprintf("43%d", p.acks))
	if !ok {
		p.t.Errorf("%v is answered with %q", event, got)
	}
	return got
}

func guarded() Options {
	return Options{STOMP: STOMP{Path: "/stomp"}, Plain: Plain{"/ws", "/sse"}, Auth: &auth.Options{Keys: []auth.Key{{Secret: secret}}, Leeway: -1}, Recovery: time.Minute}
}

func TestClientsAreAuthenticated(t *testing.T) {
	addr := run(t, guarded())
	good := token(t, "ada", time.Hour, nil)
	for name, test := range map[string]struct {
		payload, header, want string
	}{
		"in auth":        {`{"token":"` + good + `"}`, "", `40{"sid":`},
		"in a header":    {"", "Bearer " + good, `40{"sid":`},
		"in both":        {`{"token":"` + good + `"}`, "Bearer x", `40{"sid":`},
		"nowhere":        {"", "", `44{"message":"a token is needed","data":{"code":"token_missing"}}`},
		"not a text":     {`{"token":1}`, "Bearer " + good, `44{"message":"auth.token must be a text","data":{"code":"token_invalid"}}`},
		"not a token":    {`{"token":"x"}`, "", `44{"message":"the token is not a JWT","data":{"code":"token_invalid"}}`},
		"an old token":   {`{"token":"` + token(t, "ada", -time.Hour, nil) + `"}`, "", `44{"message":"the token has expired","data":{"code":"token_expired"}}`},
		"other grants":   {`{"token":"` + token(t, "ada", time.Hour, map[string]any{"jion": 1}) + `"}`, "", `44{"message":"the token's \"belfry\": grants: unknown field`},
		"someone else's": {`{"token":"` + good[:len(good)-4] + `AAAA"}`, "", `44{"message":"the token's signature is wrong`},
	} {
		h := http.Header{}
		if test.header != "" {
			h.Set("Authorization", test.header)
		}
		if _, got := dial(t, addr, test.payload, h); !strings.HasPrefix(got, test.want) {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

func TestClientsDoWhatTheyAreGranted(t *testing.T) {
	addr := run(t, guarded())
	all := token(t, "ada", time.Hour, map[string]any{"join": []string{"chat:*", "inbox:{sub}"}, "publish": []string{"chat:*"}})
	p, _ := dial(t, addr, `{"token":"`+all+`"}`, nil)
	for _, test := range []struct {
		event []any
		want  string
	}{
		{[]any{"join", "chat:1"}, "[]"},
		{[]any{"join", "inbox:ada"}, "[]"},
		{[]any{"join", "inbox:eve"}, `[{"error":{"message":"not allowed: join \"inbox:eve\"","code":"forbidden"}}]`},
		{[]any{"join", "other"}, `[{"error":{"message":"not allowed: join \"other\"","code":"forbidden"}}]`},
		{[]any{"join", ""}, `[{"error":{"message":"the room has no name","code":"bad_room"}}]`},
		{[]any{"publish", "inbox:ada", "x", 1}, `[{"error":{"message":"not allowed: publish \"inbox:ada\"","code":"forbidden"}}]`},
		{[]any{"publish", "chat:2", "x", 1}, "[]"},
		{[]any{"leave", "inbox:ada"}, "[]"},
	} {
		if got := p.ask(test.event...); got != test.want {
			t.Errorf("%v: %s, want %s", test.event, got, test.want)
		}
	}
	p.write(`42["publish","chat:1","hello",{"n":1}]`)
	if got := p.read(); !strings.HasPrefix(got, `42["hello",{"n":1}`) {
		t.Errorf("a member of the room gets %s", got)
	}
}

func TestTokensAreRefreshed(t *testing.T) {
	addr := run(t, guarded())
	join := func(rooms ...string) map[string]any { return map[string]any{"join": rooms, "publish": []string{"*"}} }
	p, _ := dial(t, addr, `{"token":"`+token(t, "ada", time.Hour, join("a", "b"))+`"}`, nil)
	for _, room := range []string{"a", "b"} {
		if got := p.ask("join", room); got != "[]" {
			t.Fatal(got)
		}
	}
	if got := p.ask("refresh", token(t, "eve", time.Hour, nil)); got != `[{"error":{"message":"the token is another user's","code":"forbidden"}}]` {
		t.Error(got)
	}
	if got := p.ask("refresh", "x"); got != `[{"error":{"message":"the token is not a JWT","code":"token_invalid"}}]` {
		t.Error(got)
	}
	exp := time.Now().Add(2 * time.Hour).Unix()
	got := p.ask("refresh", token(t, "ada", 2*time.Hour, join("b")))
	var answer []struct{ Expires int64 }
	if err := json.Unmarshal([]byte(got), &answer); err != nil || len(answer) != 1 || answer[0].Expires < exp {
		t.Fatalf("%s %v, want it to end after %d", got, err, exp)
	}
	// It is not in a any more, but still in b.
	if got := p.ask("publish", "a", "lost", 1); got != "[]" {
		t.Error(got)
	}
	p.write(`42["publish","b","kept",1]`)
	if got := p.read(); !strings.HasPrefix(got, `42["kept",1`) {
		t.Errorf("got %s", got)
	}
}

func TestSessionEndsWithItsToken(t *testing.T) {
	addr := run(t, guarded())
	p, hello := (*peer)(nil), ""
	for lasts := 2 * time.Second; !strings.HasPrefix(hello, "40"); lasts *= 2 { // a slow machine may need more
		p, hello = dial(t, addr, `{"token":"`+token(t, "ada", lasts, nil)+`"}`, nil)
	}
	if got := p.read(); !strings.HasPrefix(got, `42["expired",{"code":"token_expired"`) {
		t.Errorf("got %s", got)
	}
	if got := p.read(); got != "41" {
		t.Errorf("got %s, want DISCONNECT", got)
	}
}

var ids = regexp.MustCompile(`"sid":"([^"]*)","pid":"([^"]*)"`)

// TestRecoveryNeedsAToken comes back in various ways.
func TestRecoveryNeedsAToken(t *testing.T) {
	addr := run(t, guarded())
	grants := map[string]any{"join": []string{"*"}, "publish": []string{"*"}}
	ada := token(t, "ada", time.Hour, grants)
	for name, test := range map[string]struct {
		token string
		same  bool
		rooms int
	}{
		"with the same":    {ada, true, 2},
		"with fewer rooms": {token(t, "ada", time.Hour, map[string]any{"join": []string{"a"}, "publish": []string{"*"}}), true, 1},
		"as another user":  {token(t, "eve", time.Hour, grants), false, 0},
	} {
		p, hello := dial(t, addr, `{"token":"`+ada+`"}`, nil)
		first := ids.FindStringSubmatch(hello)
		for _, room := range []string{"a", "b"} {
			if got := p.ask("join", room); got != "[]" {
				t.Fatal(got)
			}
		}
		_ = p.conn.CloseNow()
		back, hello := dial(t, addr, `{"token":"`+test.token+`","pid":"`+first[2]+`"}`, nil)
		second := ids.FindStringSubmatch(hello)
		if len(second) == 0 || (second[1] == first[1]) != test.same {
			t.Errorf("%s: was %s, is %s", name, first, hello)
			continue
		}
		got := 0
		for _, room := range []string{"b", "a"} {
			back.write(fmt.Sprintf(`42["publish",%q,"here",1]`, room))
		}
		back.write(`42["publish",` + string(mustJSON(t, second[1])) + `,"last",1]`)
		for m := back.read(); !strings.Contains(m, `"last"`); m = back.read() {
			got++
		}
		if got != test.rooms {
			t.Errorf("%s: in %d of its rooms, want %d", name, got, test.rooms)
		}
	}
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
