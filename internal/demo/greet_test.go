package demo

import (
	"net"
	"strconv"
	"strings"
	"testing"
)

// fixed is a listener of which only the address matters.
type fixed struct {
	net.Listener
	addr net.TCPAddr
}

func (f fixed) Addr() net.Addr { return &f.addr }

func itoa(n int) string { return strconv.Itoa(n) }

func TestGreet(t *testing.T) {
	listeners := []net.Listener{
		fixed{addr: net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 3000}},
		fixed{addr: net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 3001}},
	}
	for _, withClient := range []bool{true, false} {
		var out strings.Builder
		Options{Out: &out}.greet(t.Context(), listeners, withClient)
		for _, want := range []string{"node-1  http://127.0.0.1:3000/\n", "node-2  http://127.0.0.1:3001/\n", "Ctrl-C"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("greeting is %q, want it to contain %q", out.String(), want)
			}
		}
		if hinted := strings.Contains(out.String(), "hint: this build lacks a browser client"); hinted == withClient {
			t.Errorf("with a client: %v; hint about it: %v", withClient, hinted)
		}
	}
}

func TestPageURL(t *testing.T) {
	for want, ip := range map[string]net.IP{
		"http://127.0.0.1:3000/": net.IPv4(127, 0, 0, 1),
		"http://localhost:3000/": net.IPv6unspecified,
		"http://[::1]:3000/":     net.IPv6loopback,
		"http://192.0.2.1:3000/": net.IPv4(192, 0, 2, 1),
	} {
		if got := pageURL(fixed{addr: net.TCPAddr{IP: ip, Port: 3000}}); got != want {
			t.Errorf("%v: %s, want %s", ip, got, want)
		}
	}
}

func TestOpener(t *testing.T) {
	for system, want := range map[string]string{"linux": "xdg-open", "freebsd": "xdg-open", "darwin": "open", "windows": "rundll32"} {
		if got, _ := opener(system); got != want {
			t.Errorf("%s: %s, want %s", system, got, want)
		}
	}
}

// TestGreetHidesPasswords: what is printed may be read by others.
func TestGreetHidesPasswords(t *testing.T) {
	var out strings.Builder
	o := Options{Out: &out}
	o.Bus.URL = "redis://user:s3cret@127.0.0.1:6379"
	o.greet(t.Context(), nil, true)
	if got := out.String(); !strings.Contains(got, "backend.py --redis redis://user:xxxxx@127.0.0.1:6379\n") || strings.Contains(got, "s3cret") {
		t.Errorf("greeting is %q, want the command for one more backend, without the password", got)
	}
}
