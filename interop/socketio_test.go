package interop

import (
	"bytes"
	"testing"

	"github.com/seed-09a96375/belfry/interop/subject"
	"github.com/seed-09a96375/belfry/interop/wire"
)

// socketIO tests the Socket.IO protocol, revision 5: what its own test suite
// covers beyond the packet cases.
func socketIO(t *testing.T, s *subject.Subject) {
	for name, test := range map[string]func(*testing.T, *subject.Subject){
		"connect with auth":          socketAuth,
		"one connection, three ways": socketNamespaces,
		"leave and come back":        socketReturns,
		"text":                       socketText,
		"binary":                     socketBinary,
		"ack asked of the client":    socketAcks,
		"recovery on the wire":       socketRecovery,
		"nothing to recover":         socketNoRecovery,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, s)
		})
	}
}

// script plays a conversation: lines to say begin with >, lines to hear with <.
// Binary is written as in packet cases.
func script(t *testing.T, conn *wire.Conn, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if line[0] == '>' {
			says(t, conn, line[2:])
			continue
		}
		f := heard(t, conn)
		if got := string(withoutIDs(f.Data)); f.Op != wire.Text || got != line[2:] {
			t.Fatalf("received %s, want %s", got, line[2:])
		}
	}
}

func socketAuth(t *testing.T, s *subject.Subject) {
	script(t, dialSocket(t, s, "strict", "/socket.io/"),
		`> 40{"token":"123"}`, `< 40{"sid":"*"}`,
		`> 420["auth"]`, `< 430[{"token":"123"}]`)
	script(t, dialSocket(t, s, "strict", "/socket.io/"),
		`> 40/guarded,{"token":"secret"}`, `< 40/guarded,{"sid":"*"}`,
		`> 42/guarded,1["auth"]`, `< 43/guarded,1[{"token":"secret"}]`)
}

func socketNamespaces(t *testing.T, s *subject.Subject) {
	script(t, dialSocket(t, s, "strict", "/socket.io/"),
		`> 40`, `< 40{"sid":"*"}`,
		`> 40/custom,`, `< 40/custom,{"sid":"*"}`,
		`> 40/refused,`, `< 44/refused,{"message":"not authorized","data":{"code":42}}`,
		`> 42/custom,5["echo","b"]`, `< 43/custom,5["b"]`,
		`> 425["echo","a"]`, `< 435["a"]`)
}

func socketReturns(t *testing.T, s *subject.Subject) {
	script(t, dialSocket(t, s, "strict", "/socket.io/"),
		`> 40`, `< 40{"sid":"*"}`,
		`> 40/custom,`, `< 40/custom,{"sid":"*"}`,
		`> 41/custom,`,
		`> 420["echo",1]`, `< 430[1]`,
		`> 40/custom,`, `< 40/custom,{"sid":"*"}`,
		`> 42/custom,["kick",false]`, `< 41/custom,`,
		`> 421["echo",2]`, `< 431[2]`)
}

func socketText(t *testing.T, s *subject.Subject) {
	script(t, dialSocket(t, s, "strict", "/socket.io/"),
		`> 40`, `< 40{"sid":"*"}`,
		`> 42["say-back",1,"2",{"3":[true]}]`, `< 42["said",1,"2",{"3":[true]}]`,
		`> 42456["echo",1,"2",{"3":[false]}]`, `< 43456[1,"2",{"3":[false]}]`)
}

func socketBinary(t *testing.T, s *subject.Subject) {
	conn := dialSocket(t, s, "strict", "/socket.io/")
	script(t, conn, `> 40`, `< 40{"sid":"*"}`)
	for _, c := range [][2]string{
		{
			`452-["say-back",{"_placeholder":true,"num":0},{"x":[{"_placeholder":true,"num":1}]}]`,
			`452-["said",{"_placeholder":true,"num":0},{"x":[{"_placeholder":true,"num":1}]}]`,
		},
		{
			`452-789["echo",{"_placeholder":true,"num":0},"text",{"_placeholder":true,"num":1}]`,
			`462-789[{"_placeholder":true,"num":0},"text",{"_placeholder":true,"num":1}]`,
		},
	} {
		says(t, conn, c[0])
		for _, blob := range [][]byte{{1, 2, 3}, {4}} {
			if err := conn.Write(wire.Binary, blob); err != nil {
				t.Fatal(err)
			}
		}
		hears(t, conn, c[1])
		for _, blob := range [][]byte{{1, 2, 3}, {4}} {
			if f := heard(t, conn); f.Op != wire.Binary || !bytes.Equal(f.Data, blob) {
				t.Fatalf("attachment %x, want %x", f.Data, blob)
			}
		}
	}
}

// socketAcks lets the server ask: its ack ids are its own business, so the
// answer takes up the one that came.
func socketAcks(t *testing.T, s *subject.Subject) {
	conn := dialSocket(t, s, "strict", "/socket.io/")
	script(t, conn, `> 40`, `< 40{"sid":"*"}`, `> 429["ask-me","really?"]`)
	f := heard(t, conn)
	id, found := bytes.CutSuffix(f.Data, []byte(`["question","really?"]`))
	id, is := bytes.CutPrefix(id, []byte("42"))
	if !found || !is || len(id) == 0 {
		t.Fatalf("received %s, want a question with an id", f.Data)
	}
	script(t, conn, `> 43`+string(id)+`["yes"]`, `< 439["yes"]`,
		`> 43`+string(id)+`["again"]`, // an answer counts once
		`> 429["echo"]`, `< 439[]`)
}
