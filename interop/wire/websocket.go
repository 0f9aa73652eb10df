package wire

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// Opcode of a frame, RFC 6455 section 5.2.
type Opcode byte

const (
	Text   Opcode = 0x1
	Binary Opcode = 0x2
	Close  Opcode = 0x8
	Ping   Opcode = 0x9
	Pong   Opcode = 0xA
)

// NoStatus is the code of a close frame without one, Abnormal that of an end
// without a close frame; RFC 6455 section 7.4.1.
const (
	NoStatus = 1005
	Abnormal = 1006
)

// CloseError is the end of a WebSocket as its client sees it.
type CloseError struct {
	Code   int
	Reason string
}

func (e *CloseError) Error() string {
	return fmt.Sprintf("websocket closed: %d %q", e.Code, e.Reason)
}

// Frame is one whole message from the server.
type Frame struct {
	Op   Opcode
	Data []byte
}

// Conn is a WebSocket. One goroutine may read and another write.
type Conn struct {
	stream io.ReadWriteCloser
	in     *bufio.Reader
}

// Refused is the answer to an upgrade that was not accepted.
type Refused struct{ Response *Response }

func (r *Refused) Error() string {
	return fmt.Sprintf("upgrade refused: %d %s", r.Response.Status, r.Response.Body)
}

// UpgradeHeader are the headers of an upgrade request, with the key of the
// example in RFC 6455 section 1.3.
func UpgradeHeader() map[string]string {
	return map[string]string{
		"Connection":            "Upgrade",
		"Upgrade":               "websocket",
		"Sec-WebSocket-Version": "13",
		"Sec-WebSocket-Key":     "dGhlIHNhbXBsZSBub25jZQ==",
	}
}

// Dial opens a WebSocket at an http URL. A refusal is a *Refused.
func Dial(ctx context.Context, url string) (*Conn, error) {
	res, err := send(ctx, Request{Method: http.MethodGet, URL: url, Header: UpgradeHeader()})
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusSwitchingProtocols {
		defer func() { _ = res.Body.Close() }()
		body, _ := io.ReadAll(res.Body)
		return nil, &Refused{&Response{res.StatusCode, res.Header, body}}
	}
	stream, ok := res.Body.(io.ReadWriteCloser)
	if !ok {
		return nil, errors.New("upgrade: the answer's body cannot be written")
	}
	return &Conn{stream: stream, in: bufio.NewReader(stream)}, nil
}

// Write sends one masked frame with FIN.
func (c *Conn) Write(op Opcode, data []byte) error {
	b := append(header(op, len(data)), mask(data)...)
	if _, err := c.stream.Write(b); err != nil {
		return fmt.Errorf("write frame: %w", err)
	}
	return nil
}

func header(op Opcode, n int) []byte {
	b := []byte{0x80 | byte(op)}
	switch {
	case n < 126:
		return append(b, 0x80|byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	}
	return binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
}

// mask returns the masking key and the masked data.
func mask(data []byte) []byte {
	b := make([]byte, 4, 4+len(data))
	_, _ = rand.Read(b)
	for i, v := range data {
		b = append(b, v^b[i%4])
	}
	return b
}

// Read returns the next message. It answers pings, and a close frame by closing.
// The end is a *CloseError.
func (c *Conn) Read() (Frame, error) {
	for {
		f, err := c.frame()
		if err != nil {
			return Frame{}, &CloseError{Code: Abnormal, Reason: err.Error()}
		}
		switch f.Op {
		case Close:
			_ = c.Write(Close, f.Data)
			_ = c.stream.Close()
			return Frame{}, closeError(f.Data)
		case Ping:
			_ = c.Write(Pong, f.Data)
		case Pong:
		default:
			return f, nil
		}
	}
}

func closeError(p []byte) *CloseError {
	if len(p) < 2 {
		return &CloseError{Code: NoStatus}
	}
	return &CloseError{Code: int(binary.BigEndian.Uint16(p)), Reason: string(p[2:])}
}

// frame reads one frame. Servers here send messages in one piece, unmasked and
// uncompressed.
func (c *Conn) frame() (Frame, error) {
	var h [2]byte
	if _, err := io.ReadFull(c.in, h[:]); err != nil {
		return Frame{}, err
	}
	if h[0]&0xF0 != 0x80 || h[1]&0x80 != 0 {
		return Frame{}, fmt.Errorf("unexpected frame header % x", h)
	}
	n, err := c.length(uint64(h[1]))
	if err != nil {
		return Frame{}, err
	}
	data := make([]byte, n)
	_, err = io.ReadFull(c.in, data)
	return Frame{Opcode(h[0] & 0xF), data}, err
}

func (c *Conn) length(n uint64) (uint64, error) {
	if n < 126 {
		return n, nil
	}
	var b [8]byte
	wide := b[:]
	if n == 126 {
		wide = b[6:]
	}
	_, err := io.ReadFull(c.in, wide)
	n = binary.BigEndian.Uint64(b[:])
	if n > 64<<20 {
		return 0, fmt.Errorf("frame of %d bytes", n)
	}
	return n, err
}

// Shut ends the connection without a word.
func (c *Conn) Shut() { _ = c.stream.Close() }
