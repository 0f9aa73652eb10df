package websocket

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
)

// corpusCase is what a client sends in one connection and what must come of it.
// Bytes are hex; spaces separate frames.
type corpusCase struct {
	Rule     string // section of RFC 6455, or "7692" and a section of that
	Name     string
	Deflate  bool // permessage-deflate was agreed upon
	In       string
	Messages []struct{ Op, Data string }
	Pongs    []string
	Sent     string // by the server
	Error    int    // code of the CloseError that Closed gets; 0: none
	Code     int    // the peer's close code; 0 stands for 1006
}

func readCorpus(t testing.TB) []corpusCase {
	t.Helper()
	raw, err := os.ReadFile("testdata/frames.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []corpusCase
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	p, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestCorpus sends every case in one piece, byte by byte, and in two pieces cut
// anywhere: nothing may depend on how the network cuts a stream.
func TestCorpus(t *testing.T) {
	cases := readCorpus(t)
	if len(cases) < 200 {
		t.Fatalf("corpus has %d cases", len(cases))
	}
	for _, c := range cases {
		t.Run(c.Rule+" "+c.Name, func(t *testing.T) {
			in := unhex(t, c.In)
			c.run(t, [][]byte{in})
			c.run(t, slices.Collect(slices.Chunk(in, 1)))
			for i := 1; i < len(in); i++ {
				c.run(t, [][]byte{in[:i], in[i:]})
			}
		})
	}
}

// run sends chunks and checks everything that the case tells.
func (c *corpusCase) run(t *testing.T, chunks [][]byte) {
	t.Helper()
	h := Handshake{}
	o := Options{}
	if c.Deflate {
		o.Deflate, h.deflate = &DeflateOptions{}, agreed
	}
	r, peer := memoryPair(t, o, h)
	for _, p := range chunks {
		peer.data(bytes.Clone(p))
	}
	peer.end()
	c.checkReceived(t, r)
	if want := unhex(t, c.Sent); !bytes.Equal(peer.sent, want) {
		t.Errorf("server sent %x, want %x", peer.sent, want)
	}
	if want := c.Error != 0 || c.Code != 0; peer.finished != want {
		t.Errorf("stream ended by the server: %v, want %v", peer.finished, want)
	}
}

func (c *corpusCase) checkReceived(t *testing.T, r *recorder) {
	t.Helper()
	var messages []received
	for _, m := range c.Messages {
		op := map[string]Opcode{"text": Text, "binary": Binary}[m.Op]
		messages = append(messages, received{op, string(unhex(t, m.Data))})
	}
	if !slices.Equal(r.messages, messages) {
		t.Errorf("messages %q, want %q", r.messages, messages)
	}
	var pongs []string
	for _, p := range c.Pongs {
		pongs = append(pongs, string(unhex(t, p)))
	}
	if !slices.Equal(r.pongs, pongs) {
		t.Errorf("pongs %q, want %q", r.pongs, pongs)
	}
	if want := cmp.Or(c.Code, CloseAbnormal); r.code != want {
		t.Errorf("Closed with code %d, want %d", r.code, want)
	}
	ce, failed := errors.AsType[*CloseError](r.err)
	if failed != (c.Error != 0) || failed && ce.Code != c.Error {
		t.Errorf("Closed with %v, want code %d", r.err, c.Error)
	}
	if r.closed != 1 {
		t.Errorf("Closed was called %d times", r.closed)
	}
}
