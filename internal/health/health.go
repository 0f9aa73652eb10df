// Package health answers load balancers and supervisors over HTTP.
//
//	GET /healthz/live   200 while the process serves
//	GET /healthz/ready  200 while the node should get clients, else 503
//
// The body of ready is {"ready":true}, or {"ready":false,"reasons":["…"]}. Either may
// have "warnings": what does not work, but would not work on another node either.
package health

import (
	"encoding/json"
	"net/http"
)

// Path is where the endpoints are.
const Path = "/healthz/"

// Handler serves both endpoints. ready says why if it is not ok; what warnings say is
// shown beside that. None of them may block.
func Handler(ready func() (ok bool, reasons []string), warnings ...func() []string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Path+"live", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]bool{"live": true})
	})
	mux.HandleFunc("GET "+Path+"ready", func(w http.ResponseWriter, _ *http.Request) {
		ok, reasons := ready()
		status := http.StatusOK
		if !ok {
			status = http.StatusServiceUnavailable
		}
		s := state{Ready: ok, Reasons: reasons}
		for _, more := range warnings {
			s.Warnings = append(s.Warnings, more()...)
		}
		answer(w, status, s)
	})
	return mux
}

type state struct {
	Ready    bool     `json:"ready"`
	Reasons  []string `json:"reasons,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the prober gets it, or it has gone
}
