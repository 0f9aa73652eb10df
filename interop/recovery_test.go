package interop

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/seed-09a96375/belfry/interop/subject"
	"github.com/seed-09a96375/belfry/interop/wire"
)

// session is what a client needs to come back.
type session struct {
	SID    string `json:"sid"`
	PID    string `json:"pid"`
	Offset string `json:"offset,omitempty"`
}

// socketRecovery reads connection state recovery off the wire: ids, the offset
// as an additional argument, and what was missed. Node.js sends that before the
// reply, Belfry after it.
func socketRecovery(t *testing.T, s *subject.Subject) {
	conn := dialSocket(t, s, "recovery", "/socket.io/")
	old := joined(t, conn, `40`)
	event := "event-" + old.SID
	tell := fmt.Sprintf(`["tell",{"to":[%q],"event":%q}`, old.SID, event)
	says(t, conn, `420`+tell+`,"first"]`)
	old.Offset = offsetOf(t, conn, event, "first")
	hears(t, conn, `430[]`)

	conn.Shut()
	other := newAsker(t, s, "recovery")
	eventually(func() bool { return recorded(other, old.SID).Reason != nil })
	for _, word := range []string{"missed", "too"} {
		var none any
		other.ask(&none, "tell", map[string]any{"to": []string{old.SID}, "event": event}, word)
	}

	conn = dialSocket(t, s, "recovery", "/socket.io/")
	says(t, conn, `40`+string(asJSON(session{PID: old.PID, Offset: old.Offset})))
	var back session
	words := []string{"missed", "too"}
	for range 3 {
		if f := heard(t, conn); strings.HasPrefix(string(f.Data), "40") {
			back = replyIn(t, f.Data)
		} else if len(words) > 0 {
			offsetIn(t, f.Data, event, words[0])
			words = words[1:]
		}
	}
	if back.SID != old.SID || back.PID != old.PID {
		t.Fatalf("came back as %+v, left as %+v", back, old)
	}
	script(t, conn, `> 421["recovered"]`, `< 431[true]`)
}

func recorded(a *asker, id string) record {
	var r record
	a.ask(&r, "record", id)
	return r
}

func joined(t *testing.T, conn *wire.Conn, connect string) session {
	t.Helper()
	says(t, conn, connect)
	return reply(t, conn)
}

// reply reads the answer to CONNECT.
func reply(t *testing.T, conn *wire.Conn) session {
	t.Helper()
	return replyIn(t, heard(t, conn).Data)
}

func replyIn(t *testing.T, packet []byte) session {
	t.Helper()
	var s session
	rest, ok := strings.CutPrefix(string(packet), "40")
	if err := json.Unmarshal([]byte(rest), &s); !ok || err != nil {
		t.Fatalf("received %s, want a CONNECT reply", packet)
	}
	if len(s.SID) != 20 || len(s.PID) != 20 {
		t.Fatalf("CONNECT reply %s: ids of 20 characters wanted", packet)
	}
	return s
}

// offsetOf reads an event with one argument and the offset after it.
func offsetOf(t *testing.T, conn *wire.Conn, event, word string) string {
	t.Helper()
	return offsetIn(t, heard(t, conn).Data, event, word)
}

func offsetIn(t *testing.T, packet []byte, event, word string) string {
	t.Helper()
	var args []string
	if err := json.Unmarshal([]byte(strings.TrimPrefix(string(packet), "42")), &args); err != nil {
		t.Fatalf("received %s: %v", packet, err)
	}
	if len(args) != 3 || args[0] != event || args[1] != word || args[2] == "" {
		t.Fatalf("received %s, want %s, %s and an offset", packet, event, word)
	}
	return args[2]
}

// socketNoRecovery shows what nobody has kept: the client begins anew.
func socketNoRecovery(t *testing.T, s *subject.Subject) {
	for _, auth := range []string{
		`{"pid":"aaaaaaaaaaaaaaaaaaaa","offset":"aaaaaaa"}`,
		`{"pid":"aaaaaaaaaaaaaaaaaaaa"}`,
		`{"pid":1,"offset":2}`,
		`{"pid":"","offset":""}`,
	} {
		conn := dialSocket(t, s, "recovery", "/socket.io/")
		if fresh := joined(t, conn, `40`+auth); fresh.PID == "aaaaaaaaaaaaaaaaaaaa" {
			t.Errorf("%s: the client chose its session id", auth)
		}
		script(t, conn, `> 420["recovered"]`, `< 430[false]`)
	}
}
