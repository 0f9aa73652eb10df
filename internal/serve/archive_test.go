package serve

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/internal/history"
	"github.com/seed-09a96375/belfry/internal/route"
)

// archived are options of a node that keeps what clients say.
func archived(file string) Options {
	o := meeting()
	o.Archive = Archive{SQLite: file, Delay: 2 * time.Second}
	o.Routes.Routes = []route.Route{{Event: "say", Archive: true, ID: "{args.0.id}", Emit: route.Emit{Rooms: []string{"{args.0.room}"}}}}
	return o
}

// said is a number of a message, from its arguments.
func said(t *testing.T, args json.RawMessage) int {
	t.Helper()
	var got []struct{ N int }
	if err := json.Unmarshal(args, &got); err != nil || len(got) == 0 {
		t.Fatalf("%s: %v", args, err)
	}
	return got[0].N
}

// counts counts messages by their number.
type counts map[int]int

// faults are what is wrong if n were sent.
func (c counts) faults(n int) (all []string) {
	for i := range n {
		if c[i] != 1 {
			all = append(all, fmt.Sprintf("message %d came %d times", i, c[i]))
		}
	}
	if len(c) > n {
		all = append(all, fmt.Sprintf("%d messages, sent were %d", len(c), n))
	}
	return all
}

// TestCountsFindFaults is the control of the test of history.
func TestCountsFindFaults(t *testing.T) {
	for name, c := range map[string]counts{"a hole": {0: 1, 2: 1}, "a double": {0: 1, 1: 2, 2: 1}, "one too many": {0: 1, 1: 1, 2: 1, 7: 1}} {
		if len(c.faults(3)) == 0 {
			t.Errorf("%s is not found", name)
		}
	}
}

// past reads all pages of a room, and returns the offset of the first.
func (p *plainPeer) past(room string, into counts) string {
	p.t.Helper()
	offset, before := "", ""
	for first := true; first || before != ""; first = false {
		text := p.ask(fmt.Sprintf(`{"id":1,"history":{"room":%q,"limit":7,"before":%q}}`, room, before))
		var got struct{ OK history.Page }
		if err := json.Unmarshal([]byte(text), &got); err != nil || errorCode(p.t, text) != "" {
			p.t.Fatalf("%s: %v", text, err)
		}
		for _, e := range got.OK.Entries {
			into[said(p.t, e.Args)]++
		}
		if before = got.OK.Next; first {
			offset = string(got.OK.Offset)
		}
	}
	return offset
}

// TestHistoryJoinsWhatIsLive: while a client talks, another reads all pages of the
// past, and joins with the offset of the first. It has each message once.
func TestHistoryJoinsWhatIsLive(t *testing.T) {
	addr := run(t, archived(filepath.Join(t.TempDir(), "past.db")))
	base := rootOf(addr)
	ada := token(t, "ada", time.Hour, map[string]any{"join": []string{"room"}, "publish": []string{"room"}, "history": []string{"room"}})
	talker, _ := connectPlain(t, base, ada)
	reader, _ := connectPlain(t, base, ada)
	say := func(n int) {
		request := fmt.Sprintf(`{"id":1,"event":{"name":"say","args":[{"n":%d,"id":"m%d","room":"room"}]}}`, n, n)
		for range 1 + n%2 { // every other is repeated
			if got := talker.ask(request); errorCode(t, got) != "" {
				t.Fatal(got)
			}
		}
	}
	n, seen := 0, counts{}
	offset := ""
	for deadline := time.Now().Add(time.Minute); len(seen) == 0 || offset == ""; n++ {
		if time.Now().After(deadline) {
			t.Fatalf("after a minute of talk the past has %d messages, offset %q", len(seen), offset)
		}
		say(n)
		if n%20 == 0 {
			clear(seen)
			offset = reader.past("room", seen)
		}
		<-time.After(5 * time.Millisecond)
	}
	for end := n + 20; n < end; n++ {
		say(n)
	}
	if got := reader.ask(`{"id":2,"join":{"room":"room","offset":"` + offset + `"}}`); errorCode(t, got) != "" {
		t.Fatal(got)
	}
	for end := n + 20; n < end; n++ {
		say(n)
	}
	for seen[n-1] == 0 {
		var m struct{ Args json.RawMessage }
		text := reader.read()
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			t.Fatal(text)
		}
		seen[said(t, m.Args)]++
	}
	for _, fault := range seen.faults(n) {
		t.Error(fault)
	}
}

// TestSocketIOJoinsAndReadsTheRest: a client of Socket.IO joins first. Past, what is
// recent and what is live overlap; by their offsets it has each message once.
func TestSocketIOJoinsAndReadsTheRest(t *testing.T) {
	o := archived(filepath.Join(t.TempDir(), "past.db"))
	o.Archive.Delay = time.Second
	addr := run(t, o)
	ada := token(t, "ada", time.Hour, map[string]any{"join": []string{"room"}, "publish": []string{"room"}, "history": []string{"room"}})
	talker, _ := dial(t, addr, `{"token":"`+ada+`"}`, nil)
	n := 0
	say := func() {
		if got := talker.ask("say", map[string]any{"n": n, "id": fmt.Sprint(n), "room": "room"}); got != "[]" {
			t.Fatal(got)
		}
		n++
	}
	reader, _ := dial(t, addr, `{"token":"`+ada+`"}`, nil)
	var pages []history.Page
	for deadline := time.Now().Add(time.Minute); len(pages) == 0 || len(pages[0].Entries) == 0; <-time.After(20 * time.Millisecond) {
		say()
		pages = nil
		if text := reader.ask("history", "room", map[string]any{"recent": true, "limit": 1000}); time.Now().After(deadline) {
			t.Fatal(text)
		} else if err := json.Unmarshal([]byte(text), &pages); err != nil {
			t.Fatal(text)
		}
	}
	if got := reader.ask("join", "room"); got != "[]" {
		t.Fatal(got)
	}
	page := reader.ask("history", "room", map[string]any{"recent": true, "limit": 1000})
	if err := json.Unmarshal([]byte(page), &pages); err != nil || len(pages[0].Recent) == 0 {
		t.Fatal(page)
	}
	for range 10 {
		say()
	}
	numbers, seen := make(map[string]int), counts{}
	for _, e := range pages[0].Entries {
		numbers[string(e.Offset)] = said(t, e.Args)
	}
	for _, e := range pages[0].Recent {
		numbers[string(e.Offset)] = said(t, e.Args)
	}
	for range 10 {
		event := strings.TrimPrefix(reader.read(), "42")
		var all []json.RawMessage
		if err := json.Unmarshal([]byte(event), &all); err != nil || len(all) != 3 {
			t.Fatal(event)
		}
		numbers[strings.Trim(string(all[2]), `"`)] = said(t, []byte("["+string(all[1])+"]"))
	}
	for _, number := range numbers {
		seen[number]++
	}
	for _, fault := range seen.faults(n) {
		t.Error(fault)
	}
}

// TestHistoryIsGranted on all ways to it.
func TestHistoryIsGranted(t *testing.T) {
	addr := run(t, archived(filepath.Join(t.TempDir(), "past.db")))
	base := rootOf(addr)
	some := token(t, "ada", time.Hour, map[string]any{"publish": []string{"a", "b"}, "history": []string{"a"}})
	io, _ := dial(t, addr, `{"token":"`+some+`"}`, nil)
	for _, room := range []string{"a", "b"} {
		if got := io.ask("say", map[string]any{"n": 1, "id": "in " + room, "room": room}); got != "[]" {
			t.Fatal(got)
		}
	}
	var got []history.Page
	for deadline := time.Now().Add(time.Minute); len(got) == 0 || len(got[0].Entries) == 0; {
		if err := json.Unmarshal([]byte(io.ask("history", "a")), &got); err != nil || time.Now().After(deadline) {
			t.Fatalf("%+v: %v", got, err)
		}
	}
	if e := got[0].Entries[0]; e.Event != "say" || e.User != "ada" || said(t, e.Args) != 1 || e.Offset == "" {
		t.Errorf("%+v", e)
	}
	if got := io.ask("history", "b", map[string]int{"limit": 1}); !strings.Contains(got, `"code":"forbidden"`) {
		t.Errorf("Socket.IO: %s", got)
	}
	if got := io.ask("history", "a", map[string]string{"before": "x"}); !strings.Contains(got, `"code":"invalid"`) {
		t.Errorf("a position that is none: %s", got)
	}
	plain, _ := connectPlain(t, base, some)
	if got := plain.ask(`{"id":1,"history":{"room":"b"}}`); errorCode(t, got) != "forbidden" {
		t.Errorf("plain: %s", got)
	}
	for path, want := range map[string]int{
		"/api/rooms/a/history?limit=1": http.StatusOK, "/api/rooms/a/history?limit=0": http.StatusBadRequest,
		"/api/rooms/a/history?before=x": http.StatusBadRequest,
	} {
		if status, body := call(t, base, http.MethodGet, path, "", apiKey); status != want || status == http.StatusOK && !strings.Contains(body, `"event":"say"`) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}

// TestNodeWithoutItsDatabase: clients are served, and told that the past cannot be read.
func TestNodeWithoutItsDatabase(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().String()
	_ = l.Close()
	o := archived("")
	o.Archive.Postgres = "postgres://nobody@" + closed + "/none?sslmode=disable"
	o.Routes.Routes = nil
	addr := run(t, o)
	ada := token(t, "ada", time.Hour, map[string]any{"join": []string{"room"}, "history": []string{"room"}})
	io, _ := dial(t, addr, `{"token":"`+ada+`"}`, nil)
	if got := io.ask("join", "room"); got != "[]" {
		t.Error(got)
	}
	if got := io.ask("history", "room"); !strings.Contains(got, `"code":"unavailable"`) {
		t.Error(got)
	}
}

func TestFaultsOfTheArchiveAreNamed(t *testing.T) {
	err := Options{
		Archive: Archive{SQLite: "x", Postgres: "postgres://x", Retention: -1, Delay: -1},
		Queues:  []Queue{{Name: "archive"}},
		Routes:  route.Options{Routes: []route.Route{{Event: "a", Archive: true, Queue: "archive"}}},
	}.Validate()
	for _, want := range []string{
		"Options.Archive.Postgres is given together with SQLite", "Options.Archive.Retention is -1ns", "Options.Archive.Delay is -1ns",
		`Options.Queues[0].Name is "archive": that is the queue of the archive`, "Routes[0].Archive is true: only what is sent to rooms",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q: %v", want, err)
		}
	}
	err = Options{Routes: route.Options{Routes: []route.Route{{Event: "a", Archive: true, Emit: route.Emit{Rooms: []string{"r"}}}}}}.Validate()
	if err == nil || !strings.Contains(err.Error(), "Routes[0].Archive is true: needs an archive") {
		t.Error(err)
	}
	err = Options{Queues: []Queue{{Name: "archive"}}, Routes: route.Options{Messages: []route.Rule{{Rooms: []string{"r"}, Archive: true}}}}.Validate()
	for _, want := range []string{"Messages[0].Archive is true: needs an archive", `Options.Queues[0].Name is "archive"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q: %v", want, err)
		}
	}
}
