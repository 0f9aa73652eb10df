package websocket

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

// wantFailure checks that the connection was failed with the code and, as all
// violations are, without a reason.
func wantFailure(t *testing.T, r *recorder, peer *memoryConn, code int) {
	t.Helper()
	if got, reason := closeCode(t, peer.sent); got != code || reason != "" {
		t.Errorf("close frame has code %d, reason %q; want %d without reason", got, reason, code)
	}
	peer.end()
	if ce, ok := errors.AsType[*CloseError](r.err); !ok || ce.Code != code {
		t.Errorf("Closed with %v, want code %d", r.err, code)
	}
}

// announcement is the header of a client's frame that has no payload yet.
func announcement(b0 byte, n uint64) []byte {
	f := binary.BigEndian.AppendUint64([]byte{b0, 0x80 | 127}, n)
	return append(f, testKey[:]...)
}

func TestMaxMessage(t *testing.T) {
	const limit = 100
	full, more := bytes.Repeat([]byte{'m'}, limit), bytes.Repeat([]byte{'m'}, limit+1)
	tests := []struct {
		name string
		in   [][]byte
		ok   bool
	}{
		{"just fits", [][]byte{clientFrame(fin|2, full)}, true},
		{"just fits in parts", [][]byte{clientFrame(2, full[:50]), clientFrame(0, full[50:]), clientFrame(fin, nil)}, true},
		{"twice", [][]byte{clientFrame(fin|2, full), clientFrame(fin|2, full)}, true},
		{"too big", [][]byte{clientFrame(fin|2, more)}, false},
		{"too big in parts", [][]byte{clientFrame(2, full), clientFrame(fin, more[:1])}, false},
		{"announced only", [][]byte{announcement(fin|2, limit+1)}, false},
		{"announced beyond any integer", [][]byte{announcement(fin|2, math.MaxInt64)}, false},
		{"second part announced beyond any integer", [][]byte{clientFrame(2, full), announcement(fin, math.MaxInt64)}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, peer := memoryPair(t, Options{MaxMessage: limit}, Handshake{})
			peer.data(slices.Concat(tt.in...))
			if tt.ok {
				if len(r.messages) == 0 || r.messages[0].data != string(full) || len(peer.sent) != 0 {
					t.Errorf("got %q, sent %x", r.messages, peer.sent)
				}
				return
			}
			wantFailure(t, r, peer, CloseTooBig)
		})
	}
}

func TestMaxMessageInflated(t *testing.T) {
	h := Handshake{deflate: agreed}
	for _, n := range []int{9_999, 10_000, 10_001, 5_000_000} {
		r, peer := memoryPair(t, Options{MaxMessage: 10_000, Deflate: &DeflateOptions{}}, h)
		peer.data(compressedFrame(t, strings.Repeat("z", n)))
		if n <= 10_000 {
			if len(r.messages) != 1 || len(r.messages[0].data) != n {
				t.Errorf("%d bytes: not delivered", n)
			}
			continue
		}
		wantFailure(t, r, peer, CloseTooBig)
	}
}

func TestMaxFragments(t *testing.T) {
	const limit = 8
	for _, n := range []int{limit - 1, limit, limit + 1} {
		r, peer := memoryPair(t, Options{MaxFragments: limit}, Handshake{})
		peer.data(clientFrame(1, nil))
		for range n - 2 {
			peer.data(clientFrame(0, nil))
		}
		peer.data(clientFrame(fin, []byte("end")))
		if n <= limit {
			if len(r.messages) != 1 || r.messages[0].data != "end" {
				t.Errorf("%d fragments: got %q", n, r.messages)
			}
			continue
		}
		wantFailure(t, r, peer, ClosePolicy)
	}
}

// TestAnnouncedIsNotAllocated: memory follows what has arrived, not what was
// announced.
func TestAnnouncedIsNotAllocated(t *testing.T) {
	r, peer := memoryPair(t, Options{}, Handshake{})
	peer.data(announcement(fin|2, 1_000_000))
	if in := r.conn.in; in == nil || in.buf != nil {
		t.Fatalf("a header alone made a buffer")
	}
	sent := 0
	for sent < 1_000_000 {
		n := min(1460, 1_000_000-sent)
		p := make([]byte, n)
		sent += n
		if peer.data(p); sent == 1_000_000 {
			break
		}
		if got := cap(r.conn.in.buf); got > 2*sent+minBuffer {
			t.Fatalf("%d bytes arrived, buffer of %d", sent, got)
		}
	}
	if len(r.messages) != 1 || len(r.messages[0].data) != 1_000_000 {
		t.Fatal("message not delivered")
	}
	if r.conn.in != nil {
		t.Error("buffer kept after the message")
	}
}

// TestIdleKeepsNothing: between messages a connection has no parser state.
func TestIdleKeepsNothing(t *testing.T) {
	r, peer := memoryPair(t, Options{}, Handshake{})
	in := slices.Concat(textFrame("whole"), clientFrame(1, []byte("a")), clientFrame(fin|9, []byte("p")), clientFrame(fin, []byte("b")))
	for _, b := range in {
		peer.data([]byte{b})
	}
	if len(r.messages) != 2 {
		t.Fatalf("got %q", r.messages)
	}
	if r.conn.in != nil {
		t.Errorf("left behind: %+v", r.conn.in)
	}
}
