package meet

import (
	"embed"
	"encoding/json"
	"io/fs"
	"net/http"
	"strings"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/examples/look"
)

//go:embed page
var pageFiles embed.FS

// ICEServer is an RTCIceServer: a STUN or TURN server that browsers use.
type ICEServer struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username,omitempty"`
	Credential string   `json:"credential,omitempty"` // every visitor of the page gets to see it
}

// Link leads to another page.
type Link struct {
	Text string `json:"text"`
	URL  string `json:"url"`
}

// Page serves the page: the start at /, a room at /room/ and its name. Mount it
// with http.StripPrefix. It expects the server at /socket.io/ of the same host,
// with a client bundle.
func (m *Meet) Page() http.Handler {
	files, err := fs.Sub(pageFiles, "page")
	if err != nil {
		panic(err) // it is embedded
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /config.json", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{
			"iceServers": append([]ICEServer{}, m.opts.ICEServers...),
			"links":      append([]Link{}, m.opts.Links...),
		})
	})
	mux.HandleFunc("GET /room/{room}", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, files, "room.html")
	})
	mux.Handle("GET /", look.Files(files))
	return mux
}

// API serves GET /api/rooms, the Stats of all rooms with their roomId, and
// GET /api/room/{id}/stats, those of one; of a room that nobody is in, too. It is
// for everyone who reaches it: put your own guard before it.
func (m *Meet) API() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/rooms", m.list)
	mux.HandleFunc("GET /api/room/{id}/stats", func(w http.ResponseWriter, r *http.Request) {
		stats, err := statsOf(r.Context(), m.server, belfry.Room(prefix+r.PathValue("id")))
		answer(w, stats, err)
	})
	return mux
}

// roomStats is an item of GET /api/rooms.
type roomStats struct {
	RoomID string `json:"roomId"`
	Stats
}

func (m *Meet) list(w http.ResponseWriter, r *http.Request) {
	all, err := m.server.AllRooms(r.Context())
	if err != nil {
		answer(w, nil, err)
		return
	}
	list := []roomStats{}
	for _, name := range all {
		if !Keeps(name) {
			continue
		}
		stats, err := statsOf(r.Context(), m.server, name)
		if err != nil {
			answer(w, nil, err)
			return
		}
		if stats.UserCount > 0 {
			list = append(list, roomStats{strings.TrimPrefix(string(name), prefix), stats})
		}
	}
	answer(w, list, nil)
}

// answer says so if the cluster could not be asked: that is not an empty room.
func answer(w http.ResponseWriter, v any, err error) {
	if err != nil {
		w.Header().Set("Retry-After", "1")
		writeJSON(w, http.StatusServiceUnavailable, map[string]string{"error": errAway.Error()})
		return
	}
	writeJSON(w, http.StatusOK, v)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client gets it, or it has gone
}
