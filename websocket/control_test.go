package websocket

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/seed-09a96375/belfry/poll"
)

// TestPingFlood: a read full of pings costs one bounded write, and the latest
// ping is answered.
func TestPingFlood(t *testing.T) {
	_, peer := memoryPair(t, Options{}, Handshake{})
	var flood []byte
	for i := range 5000 {
		flood = append(flood, clientFrame(fin|9, fmt.Appendf(nil, "%06d", i))...)
	}
	peer.data(flood)
	if len(peer.frames) != 1 || len(peer.sent) > pongBatch+2+maxControl {
		t.Fatalf("%d writes, %d bytes", len(peer.frames), len(peer.sent))
	}
	pongs := serverFrames(t, peer.sent)
	if last := string(pongs[len(pongs)-1].payload); last != "004999" {
		t.Errorf("last pong answers %s", last)
	}
	if first := string(pongs[0].payload); first != "000000" {
		t.Errorf("first pong answers %s", first)
	}
}

// TestPongsReplaceEachOther: pongs that wait for a peer who does not read stay
// one.
func TestPongsReplaceEachOther(t *testing.T) {
	_, peer := memoryPair(t, Options{}, Handshake{})
	peer.data(clientFrame(fin|9, []byte("1")))
	peer.data(clientFrame(fin|9, []byte("2")))
	for _, f := range peer.frames {
		if f.Key != pongKey || f.Overflow != poll.KeepLatest || f.Volatile {
			t.Errorf("pong sent as %+v", f)
		}
	}
	if !bytes.Equal(peer.sent, []byte("\x8A\x011\x8A\x012")) {
		t.Errorf("sent %x", peer.sent)
	}
}

// TestPongDoesNotKeepTheReadBuffer: the answer is a copy, for it may wait long
// after the lent buffer went to another connection.
func TestPongDoesNotKeepTheReadBuffer(t *testing.T) {
	_, peer := memoryPair(t, Options{}, Handshake{})
	in := clientFrame(fin|9, []byte("mine"))
	peer.data(in)
	clear(in)
	if got := peer.frames[0].Data; string(got[2:]) != "mine" {
		t.Errorf("pong became %q", got)
	}
}

// plainHandler is a Handler that does not want pongs.
type plainHandler struct{ closed bool }

func (*plainHandler) Message(Opcode, []byte) error { return nil }
func (h *plainHandler) Closed(int, error)          { h.closed = true }

func TestPongToPlainHandler(t *testing.T) {
	r, peer := memoryPair(t, Options{}, Handshake{})
	r.conn.h = new(plainHandler)
	peer.data(clientFrame(fin|0xA, []byte("p")))
	if len(peer.sent) != 0 || len(r.pongs) != 0 {
		t.Errorf("sent %x, pongs %q", peer.sent, r.pongs)
	}
}
