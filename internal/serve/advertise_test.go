package serve

import (
	"net"
	"net/netip"
	"testing"

	"github.com/seed-09a96375/belfry/internal/backplane"
)

func TestAdvertised(t *testing.T) {
	const redis = "redis://localhost"
	own := net.JoinHostPort(ownAddress().String(), "8080")
	for name, test := range map[string]struct {
		redis, advertise, listening, want string
	}{
		"alone":            {"", "", "10.0.0.3:8080", ""},
		"an address":       {redis, "", "10.0.0.3:8080", "http://10.0.0.3:8080/socket.io/"},
		"an IPv6 address":  {redis, "", "[fd00::3]:8080", "http://[fd00::3]:8080/socket.io/"},
		"all addresses":    {redis, "", "0.0.0.0:8080", "http://" + own + "/socket.io/"},
		"all IPv6, too":    {redis, "", "[::]:8080", "http://" + own + "/socket.io/"},
		"given":            {redis, "https://node-1.example:1", "10.0.0.3:8080", "https://node-1.example:1/socket.io/"},
		"given with slash": {redis, "http://node-1/", "10.0.0.3:8080", "http://node-1/socket.io/"},
		"given with path":  {redis, "http://node-1/behind/", "10.0.0.3:8080", "http://node-1/behind/"},
	} {
		o := Options{Bus: backplane.Options{URL: test.redis}, Advertise: test.advertise}.withDefaults()
		addr := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(test.listening))
		if got := o.advertised(addr); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestFirstAddress(t *testing.T) {
	for name, test := range map[string]struct {
		all  []string
		want string
	}{
		"none":        {nil, "127.0.0.1"},
		"loopback":    {[]string{"127.0.0.1/8", "::1/128"}, "127.0.0.1"},
		"link-local":  {[]string{"169.254.1.1/16", "fe80::1/64"}, "127.0.0.1"},
		"IPv4 first":  {[]string{"127.0.0.1/8", "fd00::3/64", "10.0.0.3/8", "10.0.0.4/8"}, "10.0.0.3"},
		"IPv6 if all": {[]string{"::1/128", "fd00::3/64", "fd00::4/64"}, "fd00::3"},
	} {
		var all []net.Addr
		for _, a := range test.all {
			ip, network, err := net.ParseCIDR(a)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, &net.IPNet{IP: ip, Mask: network.Mask})
		}
		if got := firstOf(all).String(); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}
