package worker

import (
	"bufio"
	"bytes"
	"net/http"
	"strings"
	"testing"
)

// The key and accept of RFC 6455 section 1.3.
var sampleNonce = []byte("the sample nonce")

const sampleAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

func sample() handshake {
	return newHandshake(Target{Host: "h:1", Path: "/socket.io/?EIO=4&transport=websocket"}, sampleNonce)
}

func TestHandshakeRequest(t *testing.T) {
	req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(sample().request)))
	if err != nil {
		t.Fatal(err)
	}
	if req.Host != "h:1" || req.URL.Query().Get("EIO") != "4" || req.Header.Get("Sec-WebSocket-Key") != "dGhlIHNhbXBsZSBub25jZQ==" {
		t.Errorf("%+v", req)
	}
}

func TestHandshakeAnswer(t *testing.T) {
	h := sample()
	good := "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: " + sampleAccept + "\r\n\r\n"
	if n, err := h.answer([]byte(good + "\x81\x01x")); n != len(good) || err != nil {
		t.Errorf("took %d, %v", n, err)
	}
	for cut := range good {
		if n, err := h.answer([]byte(good[:cut])); n != 0 || err != nil {
			t.Fatalf("cut to %d: took %d, %v", cut, n, err)
		}
	}
	for want, in := range map[string]string{
		"404 Not Found":        "HTTP/1.1 404 Not Found\r\n\r\n",
		"Sec-WebSocket-Accept": strings.Replace(good, "s3pP", "x3pP", 1),
		"too long":             strings.Repeat("x", maxHead+1),
	} {
		if _, err := h.answer([]byte(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte("HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: " + sampleAccept + "\r\n\r\nrest"))
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n{\"code\":0}"))
	h := sample()
	f.Fuzz(func(t *testing.T, p []byte) {
		n, err := h.answer(p)
		if n < 0 || n > len(p) || (err != nil && n != 0) {
			t.Fatalf("took %d of %d, %v", n, len(p), err)
		}
		if err != nil && err.Error() == "" {
			t.Fatal("an error without words")
		}
	})
}
