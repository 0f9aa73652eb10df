package websocket

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// compressedFrame is a whole compressed text message of a client, made with the
// standard library.
func compressedFrame(t testing.TB, s string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, s)
	w.Flush()
	return clientFrame(fin|rsv1|1, bytes.TrimSuffix(b.Bytes(), []byte("\x00\x00\xFF\xFF")))
}

// inflateStandard is a client's way to read a compressed payload.
func inflateStandard(t testing.TB, p []byte) []byte {
	t.Helper()
	r := flate.NewReader(io.MultiReader(bytes.NewReader(p), strings.NewReader("\x00\x00\xFF\xFF\x01\x00\x00\xFF\xFF")))
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("client cannot inflate: %v", err)
	}
	return out
}

func compressibleText(n int) []byte {
	s := strings.Repeat(`42["tick",{"symbol":"ABC","price":101.25,"volume":300}]`, n/50+1)
	return []byte(s[:n])
}

func TestCompressFrame(t *testing.T) {
	for level := range maxLevel + 1 {
		for _, n := range []int{0, 1, 64, 512, 4096, 70_000, 300_000} {
			payload := compressibleText(n)
			frame, err := CompressFrame(Text, payload, level)
			if err != nil {
				t.Fatal(err)
			}
			frames := serverFrames(t, frame)
			if len(frames) != 1 || !frames[0].fin || frames[0].op != Text {
				t.Fatalf("level %d, %d bytes: not one text frame", level, n)
			}
			got := frames[0].payload
			if frames[0].rsv1 {
				got = inflateStandard(t, got)
			}
			if !bytes.Equal(got, payload) {
				t.Errorf("level %d, %d bytes: client reads something else", level, n)
			}
			if n >= 512 && (!frames[0].rsv1 || len(frame) > n/2) {
				t.Errorf("level %d: %d bytes became %d, compressed %v", level, n, len(frame), frames[0].rsv1)
			}
		}
	}
}

// TestCompressFrameIncompressible: what does not shrink goes out as it is.
func TestCompressFrameIncompressible(t *testing.T) {
	payload := make([]byte, 5000)
	random := rand.NewChaCha8([32]byte{1})
	random.Read(payload)
	frame, err := CompressFrame(Binary, payload, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(frame, AppendFrame(nil, Binary, payload)) {
		t.Error("not the plain frame")
	}
}

func TestCompressFrameLevel(t *testing.T) {
	for _, level := range []int{-1, 10} {
		if _, err := CompressFrame(Text, []byte("x"), level); err == nil {
			t.Errorf("level %d accepted", level)
		}
	}
}

// TestCompressFrameDoesNotKeepPayload: the frame is a copy at any rate.
func TestCompressFrameDoesNotKeepPayload(t *testing.T) {
	for _, level := range []int{1, 6} {
		payload := []byte("short")
		frame, err := CompressFrame(Text, payload, level)
		if err != nil {
			t.Fatal(err)
		}
		before := bytes.Clone(frame)
		clear(payload)
		if !bytes.Equal(frame, before) {
			t.Errorf("level %d: the frame changed with the payload", level)
		}
	}
}

func TestInflaterIsReused(t *testing.T) {
	r, peer := memoryPair(t, Options{Deflate: &DeflateOptions{}}, Handshake{deflate: agreed})
	texts := []string{strings.Repeat("long ", 40_000), "short", "", strings.Repeat("x", 3000)}
	for _, s := range texts {
		peer.data(compressedFrame(t, s))
		peer.data(clientFrame(fin|rsv1|2, []byte("\xFF"))[:3]) // an unfinished frame in between
		r.conn.in = nil
	}
	for i, s := range texts {
		if i >= len(r.messages) || r.messages[i].data != s {
			t.Fatalf("message %d of %d bytes is wrong", i, len(s))
		}
	}
}

func TestCompresses(t *testing.T) {
	tests := []struct {
		o    *DeflateOptions
		h    Handshake
		n    int
		want bool
	}{
		{nil, Handshake{}, 1 << 20, false},
		{&DeflateOptions{}, Handshake{}, 1 << 20, false},
		{&DeflateOptions{}, Handshake{deflate: agreed}, 1023, false},
		{&DeflateOptions{}, Handshake{deflate: agreed}, 1024, true},
		{&DeflateOptions{Threshold: 10}, Handshake{deflate: agreedWindow}, 10, true},
		{&DeflateOptions{Threshold: -1}, Handshake{deflate: agreed}, 0, true},
	}
	for _, tt := range tests {
		r, _ := memoryPair(t, Options{Deflate: tt.o}, tt.h)
		if got := r.conn.Compresses(tt.n); got != tt.want {
			t.Errorf("%+v, %+v: Compresses(%d) is %v", tt.o, tt.h, tt.n, got)
		}
		if got := r.conn.Deflate(); got != (tt.h.deflate != declined) {
			t.Errorf("%+v: Deflate is %v", tt.h, got)
		}
	}
}

// FuzzInflate: what the standard library reads is read alike, and never more
// than the limit.
func FuzzInflate(f *testing.F) {
	for _, s := range []string{"", "Hello", strings.Repeat("abc", 1000)} {
		frame, err := CompressFrame(Text, []byte(s), 6)
		if err != nil {
			f.Fatal(err)
		}
		_, n, _ := parseHeader(append(frame, 0, 0, 0, 0))
		f.Add(frame[max(n-4, 2):])
	}
	f.Add([]byte("\xf2\x48\xcd\xc9\xc9\x07\x00"))
	f.Add([]byte("\x00"))
	const limit = 1 << 16
	u := &Upgrader{}
	u.inflaters.New = newInflater
	f.Fuzz(func(t *testing.T, p []byte) {
		in := u.inflater()
		defer u.release(in)
		got, err := in.inflate(p, limit)
		if len(got) > limit || cap(in.out) > 4*limit {
			t.Fatalf("%d bytes in a buffer of %d", len(got), cap(in.out))
		}
		r := flate.NewReader(io.MultiReader(bytes.NewReader(p), strings.NewReader(syncTail+lastBlock)))
		want, wantErr := io.ReadAll(io.LimitReader(r, limit+1))
		if (err == nil) != (wantErr == nil && len(want) <= limit) || err == nil && !bytes.Equal(got, want) {
			t.Errorf("got %d bytes, %v; the standard library %d bytes, %v", len(got), err, len(want), wantErr)
		}
	})
}

// TestInflateForgets: a message that makes no sense by itself makes none after
// another, whose tables it could go on with.
func TestInflateForgets(t *testing.T) {
	senseless := []byte("\xec\xc21\r\x00\x00\f\x020\xadc\xfe=`\x83\xa3I\xee2\x8c+0")
	u := &Upgrader{}
	u.inflaters.New = newInflater
	for n := range 300 {
		var text strings.Builder
		for i := range 20 + n {
			fmt.Fprintf(&text, "%d %x;", i*i*n, i*7919)
		}
		frame, err := CompressFrame(Text, []byte(text.String()), 6)
		if err != nil {
			t.Fatal(err)
		}
		header := map[byte]int{126: 4, 127: 10}[frame[1]] // of a frame that is not masked
		in := u.inflater()
		if got, err := in.inflate(frame[max(header, 2):], 1<<20); err != nil || string(got) != text.String() {
			t.Fatalf("message %d: %d bytes, %v", n, len(got), err)
		}
		in.trim()
		if got, err := in.inflate(senseless, 1<<20); err == nil {
			t.Fatalf("after message %d: %d bytes of a message without sense", n, len(got))
		}
		u.release(in)
	}
}
