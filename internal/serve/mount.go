package serve

import (
	"net/http"

	"github.com/seed-09a96375/belfry/internal/httpapi"
	"github.com/seed-09a96375/belfry/internal/metrics"
)

// mount puts all that the node answers at its paths. While it starts that is 503.
func (n *node) mount(mux *http.ServeMux) {
	put := func(path string, of func(*fronts) http.Handler) {
		if path != "" {
			mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { n.answer(w, r, of) })
		}
	}
	if n.o.Metrics.Listen == "" {
		mux.HandleFunc("GET "+metrics.Path, n.serveMetrics)
	}
	put(n.o.Path, func(f *fronts) http.Handler { return f.io })
	if path := n.o.STOMP.Path; path != "" {
		stomp := func(f *fronts) http.Handler { return f.stomp }
		put(path, stomp)
		put(path+sockJS, stomp)
	}
	put(n.o.Plain.WebSocket, func(f *fronts) http.Handler { return f.plain.WebSocket() })
	put(n.o.Plain.Events, func(f *fronts) http.Handler { return f.plain.EventStream() })
	if !n.o.API.Off {
		put(httpapi.Path, func(f *fronts) http.Handler { return f.api })
	}
}

// sockJS is the path that SockJS has for a WebSocket without frames of its own.
const sockJS = "/websocket"

func (n *node) answer(w http.ResponseWriter, r *http.Request, of func(*fronts) http.Handler) {
	f := n.fronts.Load()
	if f == nil {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "starting", http.StatusServiceUnavailable)
		return
	}
	if n.draining.Load() && r.Header.Get("Upgrade") == "" {
		w.Header().Set("Connection", "close") // what is kept alive would break with the node
	}
	of(f).ServeHTTP(w, r)
}
