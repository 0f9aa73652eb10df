package demo

import (
	"embed"
	"encoding/json"
	"io/fs"
	"net"
	"net/http"

	"github.com/seed-09a96375/belfry/socketio"
)

//go:embed page
var pageFiles embed.FS

//go:embed client
var clientFiles embed.FS

// clientBundle returns the official browser client, nil if the program was built
// without it: see client/README.
func clientBundle() socketio.ClientBundle {
	b, err := clientFiles.ReadFile("client/socket.io.min.js")
	if err != nil {
		return nil
	}
	return b
}

// facts are what the page shows besides the chat.
type facts struct {
	Node  string     `json:"node"`
	Nodes []nodeFact `json:"nodes"`
}

type nodeFact struct {
	Name string `json:"name"`
	Port int    `json:"port"`
}

// page serves the page of node i.
func page(listeners []net.Listener, i int) (http.Handler, error) {
	files, err := fs.Sub(pageFiles, "page")
	if err != nil {
		return nil, err
	}
	f := facts{Node: nodeName(i)}
	for k, ln := range listeners {
		f.Nodes = append(f.Nodes, nodeFact{Name: nodeName(k), Port: port(ln)})
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /demo.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(f) // the browser gets it, or it has gone
	})
	mux.Handle("GET /", http.FileServerFS(files))
	return secured(mux), nil
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
