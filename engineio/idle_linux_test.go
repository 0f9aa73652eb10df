package engineio

import (
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

// rawClient opens a connection by system calls alone, so that the client costs
// the process no Go memory. It returns the descriptor, which the caller closes.
func rawClient(t testing.TB, addr string) int {
	a, err := net.ResolveTCPAddr("tcp4", addr)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Connect(fd, &unix.SockaddrInet4{Port: a.Port, Addr: [4]byte(a.IP.To4())}); err != nil {
		t.Fatal(err)
	}
	return fd
}

// TestIdleMemory measures what idle WebSocket sessions keep alive, with all
// layers below: session, WebSocket, connection, HTTP.
func TestIdleMemory(t *testing.T) {
	for _, c := range []struct {
		name string
		o    Options
		max  float64
	}{
		{"no headers kept", Options{KeepHeaders: []string{}}, 500},
		{"all headers kept", Options{}, 900},
	} {
		t.Run(c.name, func(t *testing.T) {
			request := []byte(upgradeRequest(ws4, browserHeaders))
			buf, fds := make([]byte, 4096), make([]int, 0, 2000)
			t.Cleanup(func() {
				for _, fd := range fds {
					unix.Close(fd)
				}
			})
			per := heapOf(t, c.o, 1000, func(ts *testServer) {
				fd := rawClient(t, ts.addr)
				fds = append(fds, fd)
				if _, err := unix.Write(fd, request); err != nil {
					t.Fatal(err)
				}
				if _, err := unix.Read(fd, buf); err != nil {
					t.Fatal(err)
				}
			})
			t.Logf("%.0f B of heap per idle session", per)
			if per > c.max {
				t.Errorf("%.0f B, want at most %.0f", per, c.max)
			}
		})
	}
}
