package cluster_test

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/seed-09a96375/belfry/internal/cluster"
)

// freePorts finds n ports in a row that are free now.
func freePorts(t *testing.T, n int) (first int) {
	t.Helper()
	for range 50 {
		any, err := cluster.Listen(t.Context(), "127.0.0.1:0", 1)
		if err != nil {
			t.Fatal(err)
		}
		first := port(any[0])
		closeAll(t, any)
		if first+n-1 > 65535 {
			continue
		}
		row, err := cluster.Listen(t.Context(), addr(first), n)
		if err == nil {
			closeAll(t, row)
			return first
		}
	}
	t.Fatal("no ports in a row are free")
	return 0
}

func addr(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func port(ln net.Listener) int { return ln.Addr().(*net.TCPAddr).Port }

func closeAll(t *testing.T, all []net.Listener) {
	t.Helper()
	for _, ln := range all {
		if err := ln.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestListenTakesPortsInARow(t *testing.T) {
	first := freePorts(t, 3)
	all, err := cluster.Listen(t.Context(), addr(first), 3)
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll(t, all)
	for i, ln := range all {
		if got := port(ln); got != first+i {
			t.Errorf("listener %d is on port %d, want %d", i, got, first+i)
		}
	}
}

func TestListenTakesFreePorts(t *testing.T) {
	all, err := cluster.Listen(t.Context(), "127.0.0.1:0", 2)
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll(t, all)
	if len(all) != 2 || port(all[0]) == port(all[1]) {
		t.Errorf("listeners are %v, want 2 on different ports", all)
	}
}

func TestListenGivesBackPortsOnFailure(t *testing.T) {
	first := freePorts(t, 2)
	taken, err := cluster.Listen(t.Context(), addr(first+1), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll(t, taken)
	if _, err := cluster.Listen(t.Context(), addr(first), 2); err == nil {
		t.Fatal("no error, though the second port is taken")
	}
	again, err := cluster.Listen(t.Context(), addr(first), 1)
	if err != nil {
		t.Fatalf("the first port was not given back: %v", err)
	}
	closeAll(t, again)
}

func TestListenErrors(t *testing.T) {
	taken, err := cluster.Listen(t.Context(), "127.0.0.1:0", 1)
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll(t, taken)
	full := taken[0].Addr().String()
	for _, test := range []struct {
		name, addr string
		nodes      int
		err, hint  string
	}{
		{"taken", full, 1, "port " + strconv.Itoa(port(taken[0])) + " on 127.0.0.1 is taken", "another port with --listen"},
		{"no port", "127.0.0.1", 1, "missing port", "such as 127.0.0.1:3000"},
		{"not a port", "127.0.0.1:http", 1, `"http" is not a port number`, "such as 127.0.0.1:3000"},
		{"negative port", "127.0.0.1:-1", 1, `"-1" is not a port number`, "such as 127.0.0.1:3000"},
		{"too few ports", "127.0.0.1:65535", 2, "2 ports from 65535 on are needed", "such as 127.0.0.1:3000"},
		{"foreign address", "192.0.2.1:3000", 1, "cannot listen on 192.0.2.1:3000", "no such address"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := cluster.Listen(context.Background(), test.addr, test.nodes)
			var listen *cluster.ListenError
			if !errors.As(err, &listen) {
				t.Fatalf("error is %v, want a ListenError", err)
			}
			if !strings.Contains(err.Error(), test.err) {
				t.Errorf("error is %q, want it to contain %q", err, test.err)
			}
			if !strings.Contains(listen.Hint(), test.hint) {
				t.Errorf("hint is %q, want it to contain %q", listen.Hint(), test.hint)
			}
		})
	}
}
