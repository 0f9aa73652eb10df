package interop

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seed-09a96375/belfry/interop/proxy"
	"github.com/seed-09a96375/belfry/interop/subject"
)

// network is what a client program gets to see of a server: the profiles, and
// some of them once more behind proxies that it may break.
type network struct {
	URLs    map[string]string `json:"urls"`
	Control string            `json:"control"`

	proxies map[string]*proxy.Proxy
}

// newNetwork gives one run of a client proxies of its own.
func newNetwork(t *testing.T, s *subject.Subject) *network {
	t.Helper()
	n := &network{URLs: maps.Clone(s.URLs), proxies: make(map[string]*proxy.Proxy)}
	for _, profile := range []string{"main", "beat", "recovery"} {
		p, err := proxy.New(strings.TrimPrefix(s.URLs[profile], "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Close)
		n.proxies["proxied-"+profile] = p
		n.URLs["proxied-"+profile] = "http://" + p.Addr()
	}
	control := httptest.NewServer(http.HandlerFunc(n.control))
	t.Cleanup(control.Close)
	n.Control = control.URL
	return n
}

// control handles POST /cut/PROFILE, /freeze/PROFILE and /thaw/PROFILE.
func (n *network) control(w http.ResponseWriter, r *http.Request) {
	what, profile, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	p := n.proxies[profile]
	if p == nil {
		http.Error(w, "no such proxy", http.StatusNotFound)
		return
	}
	switch what {
	case "cut":
		p.Cut()
	case "freeze":
		p.Freeze()
	case "thaw":
		p.Thaw()
	default:
		http.Error(w, "cut, freeze or thaw", http.StatusNotFound)
	}
}
