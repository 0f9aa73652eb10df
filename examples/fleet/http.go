package fleet

import (
	"embed"
	"encoding/json"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/seed-09a96375/belfry/examples/look"
)

//go:embed page
var pageFiles embed.FS

// PageInfo is what the page is told of the server.
type PageInfo struct {
	// Namespace that dashboards connect to.
	Namespace string `json:"namespace"`
	// Node that serves the page.
	Node string `json:"node"`
	// Source says where readings come from and where alerts are kept.
	Source string `json:"source"`
	// Center of the map at the beginning.
	Center Location `json:"center"`
	// Fleets are those that a manager can choose from.
	Fleets []string `json:"fleets"`
	// Demo are users whose passwords everybody may know.
	Demo []DemoUser `json:"demo"`
	// Links lead to other pages.
	Links []Link `json:"links"`
	// Leaflet are the map library's script and style sheet. nil: this build has none.
	Leaflet *Leaflet `json:"-"`
}

// DemoUser is shown on the page.
type DemoUser struct {
	Name     string   `json:"name"`
	Password string   `json:"password"`
	Role     Role     `json:"role"`
	Fleets   []string `json:"fleets"`
}

// Link leads to another page.
type Link struct {
	Text string `json:"text"`
	URL  string `json:"url"`
}

// Leaflet is a map library as npm has it, the files of its dist folder.
type Leaflet struct{ Script, Style []byte }

// Page serves the page; mount it with http.StripPrefix. It expects the API below the
// same path, and Socket.IO with its client at /socket.io/ of the same host.
func (f *Fleet) Page() http.Handler {
	files, err := fs.Sub(pageFiles, "page")
	if err != nil {
		panic(err) // it is embedded
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /config.json", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, f.opts.Page)
	})
	if l := f.opts.Page.Leaflet; l != nil {
		mux.HandleFunc("GET /leaflet.js", serveBytes("text/javascript; charset=utf-8", l.Script))
		mux.HandleFunc("GET /leaflet.css", serveBytes("text/css; charset=utf-8", l.Style))
	}
	mux.Handle("GET /", look.Files(files))
	return mux
}

func serveBytes(kind string, text []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write(text) // the browser gets it, or it has gone
	}
}

// API serves
//
//	POST /api/auth/login                  {"username","password"} → {"token","role","fleets","expires"}
//	POST /api/auth/verify                 {"token"} → {"valid","user":{"username","role","fleets"}}
//	POST /api/telemetry/simulate/shock    {"truckId"} → {"message","data":reading}; managers, by Bearer token
//
// Refusals are {"error"} with 400, 401, 403, 404 or 503.
func (f *Fleet) API() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/auth/login", f.login)
	mux.HandleFunc("POST /api/auth/verify", f.verify)
	mux.HandleFunc("POST /api/telemetry/simulate/shock", f.shock)
	return mux
}

func (f *Fleet) login(w http.ResponseWriter, r *http.Request) {
	var in struct{ Username, Password string }
	if !readBody(w, r, &in) {
		return
	}
	u, ok, busy := f.people.login(in.Username, in.Password)
	switch {
	case busy:
		w.Header().Set("Retry-After", "1")
		refuse(w, http.StatusServiceUnavailable, "many people log in: try again")
	case !ok:
		refuse(w, http.StatusUnauthorized, "wrong name or password")
	default:
		now := time.Now()
		token, err := f.people.token(u, now)
		if err != nil {
			f.opts.Logger.Error("a token could not be signed", "err", err)
			refuse(w, http.StatusServiceUnavailable, errAway.Error())
			return
		}
		writeJSON(w, http.StatusOK, map[string]any{
			"token": token, "role": u.Role, "fleets": u.Fleets, "expires": now.Add(f.opts.TokenLife).Unix(),
		})
	}
}

func (f *Fleet) verify(w http.ResponseWriter, r *http.Request) {
	var in struct{ Token string }
	if !readBody(w, r, &in) {
		return
	}
	who, err := f.people.visitor(in.Token)
	if err != nil {
		refuse(w, http.StatusUnauthorized, err.Error())
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"valid": true, "user": map[string]any{
		"username": who.Name, "role": who.Role, "fleets": who.Fleets,
	}})
}

// shockVibration is what a made-up shock measures, G.
const shockVibration = 15

// shock makes a reading of a truck as it is, but for the shock: it has all that a
// reading has.
func (f *Fleet) shock(w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	who, err := f.people.visitor(token)
	switch {
	case err != nil:
		refuse(w, http.StatusUnauthorized, err.Error())
		return
	case who.Role != Manager || f.opts.Report == nil:
		refuse(w, http.StatusForbidden, "only a manager may try an alarm")
		return
	}
	var in struct {
		Truck string `json:"truckId"`
	}
	if !readBody(w, r, &in) {
		return
	}
	latest, err := f.opts.State.Latest(r.Context(), []string{in.Truck})
	if err != nil || len(latest) != 1 {
		refuse(w, http.StatusNotFound, "no such truck is known")
		return
	}
	reading := latest[0]
	reading.Vibration, reading.Time = shockVibration, time.Now().UTC().Truncate(time.Millisecond)
	if err := f.opts.Report(r.Context(), reading); err != nil {
		f.opts.Logger.Warn("a shock could not be reported", "err", err)
		refuse(w, http.StatusServiceUnavailable, errAway.Error())
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"message": "the shock of " + in.Truck + " is reported", "data": reading})
}

const maxBody = 4 << 10 // bytes

// readBody answers, and returns false, if the body is not what it has to be.
func readBody(w http.ResponseWriter, r *http.Request, into any) bool {
	// A form of another site cannot have this type without the browser asking first.
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		refuse(w, http.StatusBadRequest, "Content-Type has to be application/json")
		return false
	}
	if json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(into) != nil {
		refuse(w, http.StatusBadRequest, "the body is no such JSON object")
		return false
	}
	return true
}

func refuse(w http.ResponseWriter, status int, why string) {
	writeJSON(w, status, map[string]string{"error": why})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client gets it, or it has gone
}
