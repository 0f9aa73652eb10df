package demo

import (
	"embed"
	"io/fs"
	"net/http"

	"github.com/seed-09a96375/belfry/examples/meet"
	"github.com/seed-09a96375/belfry/socketio"
)

// application begins to serve an application on one node, with its page. What it
// returns ends it, once the server is closed.
type application func(*socketio.Server, *http.ServeMux) (stop func())

// applications are those of the demo that events of Socket.IO are enough for.
func applications() []application {
	return []application{startMeet}
}

func startMeet(srv *socketio.Server, mux *http.ServeMux) (stop func()) {
	m := meet.New(srv, meet.Options{Links: []meet.Link{{Text: "Start", URL: "/"}, {Text: "Chat", URL: "/chat/"}, {Text: "Orders", URL: "/orders/"}, {Text: "Fleet", URL: "/fleet/"}}})
	mux.Handle("/meet/", secured(http.StripPrefix("/meet", m.Page())))
	mux.Handle("GET /api/rooms", secured(m.API())) // in the place of Belfry's own
	mux.Handle("GET /api/room/", secured(m.API()))
	return func() {}
}

// below is a folder of embedded files.
func below(files embed.FS, folder string) fs.FS {
	sub, err := fs.Sub(files, folder)
	if err != nil { // the name is not one of a folder
		return embed.FS{}
	}
	return sub
}
