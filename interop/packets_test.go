package interop

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/interop/subject"
	"github.com/seed-09a96375/belfry/interop/wire"
)

// packetCase is an entry of testdata/packets.json: what a client sends over a
// new WebSocket and what comes of it.
type packetCase struct {
	Name string  `json:"name"`
	Send []frame `json:"send"`
	packetOutcome
	// Belfry is what Belfry does differently on purpose.
	Belfry *struct {
		packetOutcome
		Why string `json:"why"`
	} `json:"belfry"`
}

type packetOutcome struct {
	// Receive are the frames after the open packet, with ids as "*".
	Receive []frame `json:"receive"`
	// Close is the code of the close frame; 0: the connection stays open.
	Close int `json:"close"`
	// Records are what reached the application, one for each CONNECT reply in
	// Receive.
	Records []record `json:"records"`
}

// record is what the server remembers of a socket.
type record struct {
	Events []any   `json:"events"` // each an array: name and arguments
	Reason *string `json:"reason"` // why it left; nil: it is there
}

// frame is a WebSocket message: a string is text, {"hex"} binary, {"bytes"} text
// that need not be UTF-8, {"before", "fill", "after"} long text.
type frame struct {
	op   wire.Opcode
	data []byte
}

func (f *frame) UnmarshalJSON(b []byte) error {
	f.op = wire.Text
	var s string
	if json.Unmarshal(b, &s) == nil {
		f.data = []byte(s)
		return nil
	}
	var o struct {
		Hex, Bytes    *string
		Before, After string
		Fill          int
	}
	if err := json.Unmarshal(b, &o); err != nil {
		return err
	}
	var err error
	switch {
	case o.Hex != nil:
		f.op = wire.Binary
		f.data, err = hex.DecodeString(*o.Hex)
	case o.Bytes != nil:
		f.data, err = hex.DecodeString(*o.Bytes)
	default:
		f.data = []byte(o.Before + strings.Repeat("a", o.Fill) + o.After)
	}
	return err
}

func (f frame) String() string {
	if f.op == wire.Binary {
		return fmt.Sprintf("<%x>", f.data)
	}
	return string(f.data)
}

func packets(t *testing.T, kind server, s *subject.Subject) {
	for _, c := range load[[]packetCase](t, "packets.json") {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			want := c.packetOutcome
			if c.Belfry != nil && kind == belfryServer {
				want = c.Belfry.packetOutcome
			}
			playPackets(t, s, c.Send, want)
		})
	}
}

func playPackets(t *testing.T, s *subject.Subject, send []frame, want packetOutcome) {
	p := &player{t: t, conn: dialSocket(t, s, "tight", "/socket.io/"), want: want.Receive}
	for i, f := range send {
		if p.conn.Write(f.op, f.data) != nil {
			break // closed on the way: what was received tells whether rightly
		}
		// Clients wait for the answer to CONNECT before they go on.
		if bytes.HasPrefix(f.data, []byte("40")) && p.answerIsNext() {
			p.receive()
		}
		// Node.js takes in what follows a DISCONNECT in the same packet of the
		// network before it has left; that is chance, not protocol.
		if bytes.HasPrefix(f.data, []byte("41")) && i < len(send)-1 {
			stillOpen(t, p.conn)
		}
	}
	for len(p.want) > 0 {
		p.receive()
	}
	if want.Close == 0 {
		stillOpen(t, p.conn)
	} else {
		closes(t, p.conn, want.Close)
	}
	checkRecords(t, s, p.ids, want.Records)
}

// player receives what a case expects, frame by frame.
type player struct {
	t    *testing.T
	conn *wire.Conn
	want []frame  // still to come
	ids  []string // of the sockets that were connected
}

func (p *player) answerIsNext() bool {
	return len(p.want) > 0 &&
		(bytes.HasPrefix(p.want[0].data, []byte("40")) || bytes.HasPrefix(p.want[0].data, []byte("44")))
}

func (p *player) receive() {
	p.t.Helper()
	want := p.want[0]
	p.want = p.want[1:]
	got, err := p.conn.Read()
	if err != nil {
		p.t.Fatalf("received %v, want %s", err, want)
	}
	if id := newID(got.Data); id != "" {
		p.ids = append(p.ids, id)
	}
	if g := (frame{got.Op, withoutIDs(got.Data)}); g.op != want.op || !bytes.Equal(g.data, want.data) {
		p.t.Fatalf("received %s, want %s", g, want)
	}
}

// dialSocket opens a WebSocket session on a profile; the open packet is read. A
// server that does not answer ends it after a while.
func dialSocket(t *testing.T, s *subject.Subject, profile, path string) *wire.Conn {
	t.Helper()
	conn, err := wire.Dial(t.Context(), s.URLs[profile]+path+"?EIO=4&transport=websocket")
	if err != nil {
		t.Fatal(err)
	}
	patience := time.AfterFunc(10*time.Second, conn.Shut)
	t.Cleanup(func() { patience.Stop(); conn.Shut() })
	open, err := conn.Read()
	if err != nil || !bytes.HasPrefix(open.Data, []byte(`0{"sid":"`)) {
		t.Fatalf("open packet: %s, %v", open.Data, err)
	}
	return conn
}

// stillOpen asks for a namespace that does not exist: the refusal must be the
// next frame.
func stillOpen(t *testing.T, conn *wire.Conn) {
	t.Helper()
	if err := conn.Write(wire.Text, []byte("40/nowhere,")); err != nil {
		t.Fatal(err)
	}
	got, err := conn.Read()
	if want := `44/nowhere,{"message":"Invalid namespace"}`; err != nil || string(got.Data) != want {
		t.Fatalf("then: %s, %v; want the connection still open", got.Data, err)
	}
}

func closes(t *testing.T, conn *wire.Conn, code int) {
	t.Helper()
	got, err := conn.Read()
	var end *wire.CloseError
	if !errors.As(err, &end) {
		t.Fatalf("then: frame %s, want the connection closed", got.Data)
	}
	if end.Code != code || end.Reason != "" {
		t.Fatalf("closed with code %d %q, want %d and no reason", end.Code, end.Reason, code)
	}
}

var idPattern = regexp.MustCompile(`"(sid|pid)":"([A-Za-z0-9_-]{20})"`)

// newID returns the socket id in a CONNECT reply.
func newID(data []byte) string {
	if m := idPattern.FindSubmatch(data); m != nil && bytes.HasPrefix(data, []byte("40")) {
		return string(m[2])
	}
	return ""
}

func withoutIDs(data []byte) []byte { return idPattern.ReplaceAll(data, []byte(`"$1":"*"`)) }

// checkRecords compares what the server recorded of the sockets, once it is
// there or not in time.
func checkRecords(t *testing.T, s *subject.Subject, ids []string, want []record) {
	t.Helper()
	if len(ids) != len(want) {
		t.Fatalf("%d sockets connected, %d records expected", len(ids), len(want))
	}
	if len(ids) == 0 {
		return
	}
	witness := newAsker(t, s, "tight")
	for i, id := range ids {
		var got record
		eventually(func() bool {
			got = record{}
			witness.ask(&got, "record", id)
			return reflect.DeepEqual(got, want[i])
		})
		if !reflect.DeepEqual(got, want[i]) {
			t.Errorf("socket %d: recorded %s, want %s", i, asJSON(got), asJSON(want[i]))
		}
	}
}

// eventually repeats f until it is true, or for 20 seconds.
func eventually(f func() bool) {
	end := time.Now().Add(20 * time.Second)
	for !f() {
		if time.Now().After(end) {
			return
		}
	}
}

func asJSON(v any) []byte {
	b, _ := json.Marshal(v)
	return b
}
