package websocket

import (
	"net"
	"syscall"
	"testing"

	"github.com/seed-09a96375/belfry/poll"
)

// TestHeapPerConnection opens real connections through net/http and epoll and
// weighs the heap: no goroutine, no buffer, nothing of net/http may stay. The
// client side consists of bare descriptors.
func TestHeapPerConnection(t *testing.T) {
	const (
		n     = 1000
		limit = 250 // Conn 64, poll's connection and its table, the handler
	)
	s := newTestServer(t, carriers[0], Options{}, poll.Options{})
	h := new(quietHandler)
	s.accept = func(*Conn) Handler { return h }
	openBare(t, s, n/10) // what is made once is made now
	if got := heapOf(n, func() { openBare(t, s, n) }); got > limit {
		t.Errorf("%.0f bytes of heap per idle connection", got)
	} else {
		t.Logf("%.0f bytes of heap per idle connection", got)
	}
}

func openBare(t *testing.T, s *testServer, n int) {
	t.Helper()
	fds := make([]int32, n)
	for i := range fds {
		fds[i] = int32(dialBare(t, s))
	}
	t.Cleanup(func() {
		for _, fd := range fds {
			syscall.Close(int(fd))
		}
	})
}

// dialBare opens a WebSocket and reads its response.
func dialBare(t *testing.T, s *testServer) int {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	addr := &syscall.SockaddrInet4{Port: s.http.Listener.Addr().(*net.TCPAddr).Port, Addr: [4]byte{127, 0, 0, 1}}
	if err := syscall.Connect(fd, addr); err != nil {
		t.Fatal(err)
	}
	if _, err := syscall.Write(fd, []byte(upgradeRequest+"\r\n")); err != nil {
		t.Fatal(err)
	}
	var p [1024]byte
	if n, err := syscall.Read(fd, p[:]); err != nil || n < 12 || string(p[9:12]) != "101" {
		t.Fatalf("response %q, %v", p[:max(n, 0)], err)
	}
	return fd
}
