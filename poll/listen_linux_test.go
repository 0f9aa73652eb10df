package poll_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seed-09a96375/belfry/poll"
)

const fullServerEnv = "POLL_TEST_FULL_SERVER"

// fullServer is the process that runs out of descriptors: it accepts and holds
// connections, answers each with "ok", and closes it when the client does. Its
// first line of output is the address. It ends when its input does.
func fullServer(headroom string) error {
	h, err := strconv.Atoi(headroom)
	if err != nil {
		return err
	}
	limit := unix.Rlimit{Cur: 64, Max: 64}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	ln, err := poll.Listen(context.Background(), "tcp", "127.0.0.1:0", poll.ListenOptions{Headroom: h})
	if err != nil {
		return err
	}
	fmt.Println(ln.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = ln.Close()
	}()
	for {
		c, err := ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			_, _ = io.WriteString(c, "ok\n")
			_, _ = io.Copy(io.Discard, c)
		}()
	}
}

func TestListenWithoutDescriptors(t *testing.T) {
	for _, headroom := range []int{-1, 8} {
		t.Run(fmt.Sprint("headroom ", headroom), func(t *testing.T) {
			addr := startFullServer(t, headroom)
			var served, refused []net.Conn
			for range 100 {
				c, ok := knock(t, addr)
				if ok {
					served = append(served, c)
				} else {
					refused = append(refused, c)
				}
			}
			if len(served) < 30 || len(refused) < 36 {
				t.Fatalf("%d served, %d refused", len(served), len(refused))
			}
			for _, c := range served {
				_ = c.Close()
			}
			// As soon as descriptors are free, clients are served again.
			eventually(t, "a client is served", func() bool {
				_, ok := knock(t, addr)
				return ok
			})
		})
	}
}

func startFullServer(t *testing.T, headroom int) (addr string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", fullServerEnv, headroom))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	addr, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(addr)
}

// knock connects and tells whether it is served; if not it must be told so by
// HTTP, and soon.
func knock(t *testing.T, addr string) (net.Conn, bool) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	first, err := r.Peek(3)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	if string(first) == "ok\n" {
		return c, true
	}
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") != "5" || !resp.Close {
		t.Fatalf("refused with %v", resp)
	}
	return c, false
}
