package serve

import (
	"net"
	"net/netip"
	"testing"

	"github.com/seed-09a96375/belfry/internal/backplane"
	"github.com/seed-09a96375/belfry/internal/cluster"
)

func TestAdvertised(t *testing.T) {
	const redis = "redis://localhost"
	own := cluster.Reachable(&net.TCPAddr{Port: 8080})
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
