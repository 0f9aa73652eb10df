package redis

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// answerTime is how long an answer may take. A Redis under load is slow.
const answerTime = 30 * time.Second

// Conn is a connection to a Redis without password. Not safe for concurrent use.
type Conn struct {
	net.Conn
	in *bufio.Reader
}

// Dial connects to host:port.
func Dial(ctx context.Context, addr string) (*Conn, error) {
	d := net.Dialer{Timeout: answerTime}
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("connect to Redis: %w", err)
	}
	return &Conn{Conn: c, in: bufio.NewReader(c)}, nil
}

// Do sends a command, whose words hold no spaces, and returns the answer, which
// must be a single string or number.
func (c *Conn) Do(words ...string) (string, error) {
	if err := c.SetDeadline(time.Now().Add(answerTime)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(c, strings.Join(words, " ")+"\r\n"); err != nil {
		return "", fmt.Errorf("ask Redis: %w", err)
	}
	answer, err := readAnswer(c.in)
	if err != nil {
		return "", fmt.Errorf("%s: %w", words[0], err)
	}
	return answer, nil
}

// maxAnswer bounds an answer in bytes.
const maxAnswer = 4 << 20

var (
	errAnswer  = errors.New("not an answer of Redis")
	errTooLong = errors.New("the answer is too long")
)

// readAnswer reads one answer: a line, or a string of a given length.
func readAnswer(in *bufio.Reader) (string, error) {
	line, err := readLine(in)
	switch {
	case err != nil:
		return "", err
	case line == "":
		return "", errAnswer
	}
	switch rest := line[1:]; line[0] {
	case '+', ':':
		return rest, nil
	case '-':
		return "", errors.New(rest)
	case '$':
		return readString(in, rest)
	}
	return "", errAnswer
}

func readLine(in *bufio.Reader) (string, error) {
	line, err := in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return "", errTooLong
	}
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(string(line[:len(line)-1]), "\r"), nil
}

func readString(in *bufio.Reader, length string) (string, error) {
	n, err := strconv.Atoi(length)
	switch {
	case err != nil || n < 0:
		return "", errAnswer
	case n > maxAnswer:
		return "", errTooLong
	}
	p := make([]byte, n+2)
	if _, err := io.ReadFull(in, p); err != nil {
		return "", err
	}
	if string(p[n:]) != "\r\n" {
		return "", errAnswer
	}
	return string(p[:n]), nil
}
