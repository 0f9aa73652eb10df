package websocket

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/poll"
)

func TestClose(t *testing.T) {
	tests := []struct {
		name   string
		code   int
		reason string
		want   string // the frame
	}{
		{"without code", 0, "", "\x88\x00"},
		{"1005 is no code", CloseNoStatus, "never sent", "\x88\x00"},
		{"normal", CloseNormal, "", "\x88\x02\x03\xE8"},
		{"with reason", CloseGoingAway, "bye", "\x88\x05\x03\xE9bye"},
		{"own code", 4001, "x", "\x88\x03\x0F\xA1x"},
		{"code that may not be sent", CloseAbnormal, "", "\x88\x02\x03\xF3"},
		{"code out of range", 70000, "", "\x88\x02\x03\xF3"},
		{"reason too long", CloseNormal, strings.Repeat("r", 200), "\x88\x7D\x03\xE8" + strings.Repeat("r", 123)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, peer := memoryPair(t, Options{}, Handshake{})
			r.conn.Close(tt.code, tt.reason)
			if string(peer.sent) != tt.want || !peer.finished {
				t.Errorf("sent %q, ended %v; want %q", peer.sent, peer.finished, tt.want)
			}
			peer.end()
			if r.code != CloseAbnormal || r.err != nil || r.closed != 1 {
				t.Errorf("Closed(%d, %v) %d times", r.code, r.err, r.closed)
			}
		})
	}
}

func TestOnlyFirstCloseCounts(t *testing.T) {
	r, peer := memoryPair(t, Options{}, Handshake{})
	r.conn.Close(CloseNormal, "first")
	r.conn.Close(CloseGoingAway, "second")
	if want := "\x88\x07\x03\xE8first"; string(peer.sent) != want {
		t.Errorf("sent %q, want %q", peer.sent, want)
	}
	if err := r.conn.Send(poll.Frame{Data: AppendFrame(nil, Text, []byte("late"))}); !errors.Is(err, poll.ErrClosed) {
		t.Errorf("Send after Close: %v", err)
	}
}

// TestAfterClose: messages that cross our close frame are not delivered, in
// whatever pieces they come; the peer's close frame is still understood.
func TestAfterClose(t *testing.T) {
	in := slices.Concat(
		textFrame("crossing"),
		clientFrame(1, []byte("in ")),
		clientFrame(fin|9, []byte("ping")),
		clientFrame(fin, []byte("parts")),
		clientFrame(fin|0xA, []byte("pong")),
		clientFrame(fin|2, bytes.Repeat([]byte{'x'}, 3000)),
		clientFrame(fin|8, []byte{0x0F, 0xA0}),
	)
	for _, size := range []int{1, 7, len(in)} {
		r, peer := memoryPair(t, Options{}, Handshake{})
		r.conn.Close(CloseNormal, "")
		for p := range slices.Chunk(bytes.Clone(in), size) {
			peer.data(p)
		}
		if len(r.messages) != 0 || len(r.pongs) != 0 {
			t.Errorf("chunks of %d: delivered %q, %q", size, r.messages, r.pongs)
		}
		if want := "\x88\x02\x03\xE8"; string(peer.sent) != want {
			t.Errorf("chunks of %d: sent %q, want %q", size, peer.sent, want)
		}
		if !peer.closed {
			t.Errorf("chunks of %d: not closed after both close frames", size)
		}
		peer.end()
		if r.code != 4000 || r.err != nil {
			t.Errorf("chunks of %d: Closed(%d, %v)", size, r.code, r.err)
		}
	}
}

// TestCloseWithinMessage: a message that is arriving when Close comes is given
// up, and its memory with it.
func TestCloseWithinMessage(t *testing.T) {
	for _, first := range []int{20, 100} {
		r, peer := memoryPair(t, Options{}, Handshake{})
		in := slices.Concat(clientFrame(1, bytes.Repeat([]byte{'a'}, 50)), clientFrame(fin, bytes.Repeat([]byte{'b'}, 50)))
		peer.data(in[:first])
		r.conn.Close(0, "")
		peer.data(in[first : len(in)-1])
		if r.conn.in != nil && r.conn.in.buf != nil {
			t.Errorf("cut at %d: buffer kept", first)
		}
		peer.data(in[len(in)-1:])
		peer.data(clientFrame(fin|8, nil))
		peer.end()
		if len(r.messages) != 0 || r.code != CloseNoStatus || r.err != nil {
			t.Errorf("cut at %d: got %q, Closed(%d, %v)", first, r.messages, r.code, r.err)
		}
	}
}

// TestCloseAnswerBehindQueue: the stream is not cut off while our own close
// frame still waits.
func TestCloseAnswerBehindQueue(t *testing.T) {
	r, peer := memoryPair(t, Options{}, Handshake{})
	peer.buffered = 1
	r.conn.Close(CloseNormal, "")
	peer.data(clientFrame(fin|8, nil))
	if peer.closed || !peer.finished {
		t.Errorf("closed %v, finished %v", peer.closed, peer.finished)
	}
}

func TestHandlerCloses(t *testing.T) {
	r, peer := memoryPair(t, Options{}, Handshake{})
	r.react = func(Opcode, []byte) error {
		r.conn.Close(CloseNormal, "")
		return nil
	}
	peer.data(slices.Concat(textFrame("one"), textFrame("two"), clientFrame(fin|8, nil)))
	if len(r.messages) != 1 {
		t.Errorf("got %q after Close", r.messages)
	}
	if peer.end(); r.code != CloseNoStatus || r.err != nil {
		t.Errorf("Closed(%d, %v)", r.code, r.err)
	}
}

func TestHandlerError(t *testing.T) {
	broken := errors.New("broken")
	tests := []struct {
		name   string
		err    error
		code   int
		reason string
	}{
		{"any error", broken, CloseInternalError, ""},
		{"CloseError", &CloseError{Code: 4000, Reason: "why", Err: broken}, 4000, "why"},
		{"wrapped CloseError", errors.Join(&CloseError{Code: ClosePolicy, Err: broken}), ClosePolicy, ""},
		{"without code", &CloseError{Err: broken}, CloseNoStatus, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, peer := memoryPair(t, Options{}, Handshake{})
			r.react = func(Opcode, []byte) error { return tt.err }
			peer.data(slices.Concat(textFrame("one"), textFrame("two"), clientFrame(fin|8, nil)))
			if len(r.messages) != 1 {
				t.Errorf("got %q after the error", r.messages)
			}
			if code, reason := closeCode(t, peer.sent); code != tt.code || reason != tt.reason {
				t.Errorf("close frame has %d %q, want %d %q", code, reason, tt.code, tt.reason)
			}
			if peer.end(); !errors.Is(r.err, broken) || r.code != CloseAbnormal {
				t.Errorf("Closed(%d, %v)", r.code, r.err)
			}
		})
	}
}

func TestPeerEndsWithoutClose(t *testing.T) {
	r, peer := memoryPair(t, Options{}, Handshake{})
	peer.data(textFrame("last words")[:5])
	peer.end()
	if r.code != CloseAbnormal || !errors.Is(r.err, io.EOF) || r.closed != 1 {
		t.Errorf("Closed(%d, %v) %d times", r.code, r.err, r.closed)
	}
	if err := r.conn.Send(poll.Frame{Data: []byte{0x81, 0}}); !errors.Is(err, poll.ErrClosed) {
		t.Errorf("Send after the end: %v", err)
	}
}

func TestTerminate(t *testing.T) {
	r, peer := memoryPair(t, Options{}, Handshake{})
	gone := errors.New("gone")
	r.react = func(Opcode, []byte) error {
		r.conn.Terminate(gone)
		return nil
	}
	peer.data(slices.Concat(textFrame("one"), textFrame("two")))
	peer.end()
	if len(peer.sent) != 0 || !peer.closed || len(r.messages) != 1 {
		t.Errorf("sent %x, closed %v, got %q", peer.sent, peer.closed, r.messages)
	}
	if r.code != CloseAbnormal || !errors.Is(r.err, gone) {
		t.Errorf("Closed(%d, %v)", r.code, r.err)
	}
}

// TestCloseResumesReading: else the peer's answer would never be read.
func TestCloseResumesReading(t *testing.T) {
	r, peer := memoryPair(t, Options{}, Handshake{})
	if r.conn.PauseRead(); !peer.paused {
		t.Fatal("PauseRead does not pause")
	}
	r.conn.Close(0, "")
	if peer.paused {
		t.Error("still paused after Close")
	}
	if r.conn.PauseRead(); peer.paused {
		t.Error("paused again after Close")
	}
}

// TestNothingFollowsTheCloseFrame: a Send that has begun when Close comes is
// not overtaken by the close frame. Without a lock, Close would run through
// while the hook before the frame waits, and the frame would come last.
func TestNothingFollowsTheCloseFrame(t *testing.T) {
	r, peer := memoryPair(t, Options{}, Handshake{})
	closed, sent := make(chan struct{}), make(chan struct{})
	isClose := func(f poll.Frame) bool { return f.Data[0] == fin|byte(closing) }
	over := make(chan struct{})
	peer.before = func(f poll.Frame) {
		if !isClose(f) {
			go func() {
				defer close(over)
				r.conn.Close(CloseNormal, "")
			}()
			waitBriefly(closed)
		}
	}
	peer.after = func(f poll.Frame) {
		if isClose(f) {
			close(closed)
			waitBriefly(sent)
		}
	}
	err := r.conn.Send(poll.Frame{Data: []byte("\x81\x04text")})
	close(sent)
	<-over
	if want := "\x81\x04text\x88\x02\x03\xE8"; err != nil || string(peer.sent) != want {
		t.Errorf("Send returned %v; sent %q, want %q", err, peer.sent, want)
	}
}

// waitBriefly waits for something that must not happen in sound code.
func waitBriefly(c <-chan struct{}) {
	select {
	case <-c:
	case <-time.After(20 * time.Millisecond):
	}
}

// TestConcurrentSendAndClose: what was accepted was sent, what was refused was
// not, and the close frame is the last.
func TestConcurrentSendAndClose(t *testing.T) {
	for range 50 {
		r, peer := memoryPair(t, Options{}, Handshake{})
		var sent sync.WaitGroup
		var accepted atomic.Int64
		for range 4 {
			sent.Go(func() {
				for r.conn.Send(poll.Frame{Data: []byte{0x81, 1, 'm'}}) == nil {
					accepted.Add(1)
				}
			})
		}
		sent.Go(func() { r.conn.Close(CloseNormal, "") })
		sent.Wait()
		frames := serverFrames(t, peer.sent)
		if frames[len(frames)-1].op != closing || int64(len(frames)) != accepted.Load()+1 {
			t.Fatalf("%d frames, %d accepted, the last is %#x", len(frames), accepted.Load(), frames[len(frames)-1].op)
		}
	}
}
