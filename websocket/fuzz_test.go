package websocket

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

// FuzzParse feeds arbitrary bytes in arbitrary pieces. The result is that of
// one piece, nothing panics, and memory follows what has arrived. cuts are the
// sizes of the pieces, over and over.
func FuzzParse(f *testing.F) {
	for _, c := range readCorpus(f) {
		f.Add(unhex(f, c.In), []byte{3, 1, 7}, c.Deflate)
	}
	f.Fuzz(func(t *testing.T, in, cuts []byte, deflate bool) {
		whole := parsePieces(t, in, [][]byte{in}, deflate)
		parts := parsePieces(t, in, pieces(in, cuts), deflate)
		if !slices.Equal(whole.messages, parts.messages) {
			t.Errorf("messages %q in one piece, %q in parts", whole.messages, parts.messages)
		}
		if !slices.Equal(whole.pongs, parts.pongs) || whole.code != parts.code || whole.failure != parts.failure {
			t.Errorf("one piece: %+v; parts: %+v", whole, parts)
		}
		if len(in) <= pongBatch && !bytes.Equal(whole.sent, parts.sent) {
			t.Errorf("sent %x in one piece, %x in parts", whole.sent, parts.sent)
		}
	})
}

// result is what came of a client's bytes.
type result struct {
	messages []received
	pongs    []string
	code     int
	failure  int // code of the CloseError, 0: none
	sent     []byte
}

func parsePieces(t *testing.T, in []byte, pieces [][]byte, deflate bool) result {
	o, h := Options{MaxMessage: 4000, MaxFragments: 20}, Handshake{}
	if deflate {
		o.Deflate, h.deflate = &DeflateOptions{}, agreed
	}
	r, peer := memoryPair(t, o, h)
	for _, p := range pieces {
		peer.data(bytes.Clone(p))
		if i := r.conn.in; i != nil && (cap(i.buf) > 2*len(in)+minBuffer || cap(i.ctl) > 2*maxControl) {
			t.Fatalf("buffers of %d and %d for %d bytes", cap(i.buf), cap(i.ctl), len(in))
		}
	}
	peer.end()
	res := result{messages: r.messages, pongs: r.pongs, code: r.code, sent: peer.sent}
	if ce, ok := errors.AsType[*CloseError](r.err); ok {
		res.failure = ce.Code
	}
	serverFrames(t, peer.sent)
	return res
}

// pieces cuts in.
func pieces(in, cuts []byte) [][]byte {
	var list [][]byte
	for i := 0; len(in) > 0; i++ {
		n := len(in)
		if len(cuts) > 0 {
			n = min(n, 1+int(cuts[i%len(cuts)]))
		}
		list = append(list, in[:n])
		in = in[n:]
	}
	return list
}
