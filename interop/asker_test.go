package interop

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/seed-09a96375/belfry/interop/subject"
	"github.com/seed-09a96375/belfry/interop/wire"
)

// asker is a socket on the main namespace that asks the contract server
// questions.
type asker struct {
	t    *testing.T
	conn *wire.Conn
	next int
}

func newAsker(t *testing.T, s *subject.Subject, profile string) *asker {
	t.Helper()
	a := &asker{t: t, conn: dialSocket(t, s, profile, "/socket.io/")}
	a.send("40")
	a.expect("40{")
	return a
}

// ask emits an event and decodes the first argument of its acknowledgement.
func (a *asker) ask(into any, event string, args ...any) {
	a.t.Helper()
	a.next++
	a.send(fmt.Sprintf("42%d%s", a.next, asJSON(append([]any{event}, args...))))
	answer := a.expect(fmt.Sprintf("43%d", a.next))
	if err := json.Unmarshal(answer, &[]any{into}); err != nil {
		a.t.Fatalf("acknowledgement of %s: %v in %s", event, err, answer)
	}
}

func (a *asker) send(text string) {
	a.t.Helper()
	if err := a.conn.Write(wire.Text, []byte(text)); err != nil {
		a.t.Fatal(err)
	}
}

// expect returns what follows the prefix in the next frame.
func (a *asker) expect(prefix string) []byte {
	a.t.Helper()
	f, err := a.conn.Read()
	if err != nil {
		a.t.Fatal(err)
	}
	rest, ok := strings.CutPrefix(string(f.Data), prefix)
	if !ok {
		a.t.Fatalf("received %s, want %s…", f.Data, prefix)
	}
	return []byte(rest)
}
