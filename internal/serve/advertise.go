package serve

import (
	"net"
	"net/url"
	"strings"

	"github.com/seed-09a96375/belfry/internal/cluster"
)

// advertised is the URL under which other nodes reach the Socket.IO of this one.
func (o Options) advertised(listening net.Addr) string {
	if o.Bus.URL == "" {
		return "" // there are no others
	}
	if o.Advertise == "" {
		return (&url.URL{Scheme: "http", Host: cluster.Reachable(listening), Path: o.Path}).String()
	}
	if u, err := url.Parse(o.Advertise); err == nil && strings.Trim(u.Path, "/") == "" {
		u.Path = o.Path
		return u.String()
	}
	return o.Advertise
}
