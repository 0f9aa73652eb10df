package worker

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
)

// handshake is the opening of a WebSocket connection, RFC 6455 section 4, the
// same bytes for all clients of one target. The headers are those of a browser:
// a server pays for what it must parse.
type handshake struct {
	request []byte
	accept  []byte // what the answer must hold
}

// newHandshake makes the request for a target; nonce is 16 bytes long.
func newHandshake(t Target, nonce []byte) handshake {
	key := base64.StdEncoding.EncodeToString(nonce)
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return handshake{
		request: fmt.Appendf(nil, "GET %s HTTP/1.1\r\n"+
			"Host: %[2]s\r\n"+
			"Connection: Upgrade\r\n"+
			"Pragma: no-cache\r\n"+
			"Cache-Control: no-cache\r\n"+
			"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"+
			"Upgrade: websocket\r\n"+
			"Origin: http://%[2]s\r\n"+
			"Sec-WebSocket-Version: 13\r\n"+
			"Accept-Encoding: gzip, deflate\r\n"+
			"Accept-Language: en-US,en;q=0.9\r\n"+
			"Cookie: session=0123456789abcdef0123456789abcdef\r\n"+
			"Sec-WebSocket-Key: %[3]s\r\n\r\n", t.Path, t.Host, key),
		accept: []byte(base64.StdEncoding.EncodeToString(sum[:])),
	}
}

// maxHead bounds the header of an answer.
const maxHead = 16 << 10

// answer reads the server's answer at the front of p and returns its length, 0
// if it is not complete yet.
func (h *handshake) answer(p []byte) (int, error) {
	head, _, whole := bytes.Cut(p, []byte("\r\n\r\n"))
	if !whole {
		if len(p) > maxHead {
			return 0, errors.New("the header of the answer is too long")
		}
		return 0, nil
	}
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 101")) {
		return 0, &statusError{answer: string(p[:min(len(p), 1024)])}
	}
	if !bytes.Contains(head, h.accept) {
		return 0, errors.New("the answer has a wrong Sec-WebSocket-Accept")
	}
	return len(head) + 4, nil
}

// statusError is an answer other than 101.
type statusError struct{ answer string }

func (e *statusError) Error() string {
	head, body, _ := bytes.Cut([]byte(e.answer), []byte("\r\n\r\n"))
	line, _, _ := bytes.Cut(head, []byte("\r\n"))
	if len(body) == 0 {
		return fmt.Sprintf("answered %q", line)
	}
	return fmt.Sprintf("answered %q: %q", line, body[:min(len(body), 200)])
}

// notFound reports whether the server does not know the path.
func (e *statusError) notFound() bool {
	return bytes.HasPrefix([]byte(e.answer), []byte("HTTP/1.1 404"))
}
