package demo

import (
	"embed"
	"encoding/json"
	"net"
	"net/http"

	"github.com/seed-09a96375/belfry/socketio"
)

//go:embed start
var startFiles embed.FS

//go:embed client
var clientFiles embed.FS

// clientBundle returns the official browser client, nil if the program was built
// without it: see client/README.
func clientBundle() socketio.ClientBundle { return bundle("socket.io.min.js") }

// stompBundle returns the browser bundle of @stomp/stompjs, or nil as well.
func stompBundle() []byte { return bundle("stomp.umd.min.js") }

func bundle(name string) []byte {
	b, err := clientFiles.ReadFile("client/" + name)
	if err != nil {
		return nil
	}
	return b
}

// facts are what the pages show of the demo itself.
type facts struct {
	Node   string     `json:"node"`
	Nodes  []nodeFact `json:"nodes"`
	Bus    string     `json:"bus"`    // how the nodes are joined
	Kept   string     `json:"kept"`   // where the chat keeps messages
	Orders string     `json:"orders"` // where orders wait for backends
	Fleet  string     `json:"fleet"`  // the ways of the fleet
}

type nodeFact struct {
	Name string `json:"name"`
	Port int    `json:"port"`
}

// newFacts is for all nodes: Node is left out.
func newFacts(o Options, listeners []net.Listener, kept, fleet string) facts {
	f := facts{
		Bus: "memory: the nodes are in one process", Kept: kept, Fleet: fleet,
		Orders: "They wait for backends in queues in memory, until the demo stops.",
	}
	if o.Bus.URL != "" {
		f.Bus, f.Orders = "Redis", "They wait for backends in Redis Streams: TEST_EVENT_TO_BACKEND, GREETING_CHANNEL_OUTBOUND."
	}
	ids := o.nodeIDs()
	for i, ln := range listeners {
		f.Nodes = append(f.Nodes, nodeFact{Name: string(ids[i]), Port: port(ln)})
	}
	return f
}

// ServeHTTP tells the facts as JSON.
func (f facts) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(f) // the browser gets it, or it has gone
}

// secured lets the page use what comes from here, and nothing else.
func secured(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy",
			"default-src 'self'; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Cache-Control", "no-cache")
		h.ServeHTTP(w, r)
	})
}

func port(ln net.Listener) int {
	if a, ok := ln.Addr().(*net.TCPAddr); ok {
		return a.Port
	}
	return 0
}
