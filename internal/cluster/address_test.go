package cluster

import (
	"net"
	"testing"
)

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
