package interop

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seed-09a96375/belfry/interop/proxy"
)

// TestFleet opens the dashboards of the demo in real browsers, on two nodes: one with a
// large screen, one with that of a phone.
func TestFleet(t *testing.T) {
	nodeJS := tool(t, "node")
	installed(t, "js/node_modules", "scripts/install clients")
	installed(t, "../internal/demo/client/leaflet.js", "scripts/fetch-client")
	browser := chromium(t)
	pages := startDemo(t)
	p, err := proxy.New(strings.Trim(strings.TrimPrefix(pages[0], "http://"), "/"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	control := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { p.Cut() }))
	t.Cleanup(control.Close)

	results := run(t, []string{nodeJS, "js/fleet.js", string(asJSON(map[string]any{
		"browser": browser, "profiles": t.TempDir(), "control": control.URL,
		"pages": []string{"http://" + p.Addr() + "/fleet/", pages[1] + "fleet/"},
	}))})
	check(t, []string{
		"fleet-refuses", "fleet-login", "fleet-map", "fleet-alert", "fleet-fly", "fleet-orders", "fleet-filter", "fleet-recovers",
		"fleet-late", "fleet-phone", "fleet-logout", "fleet-no-errors",
	}, results)
}
