package serve

import (
	"net/http"
	"strings"
	"testing"

	"github.com/seed-09a96375/belfry/internal/health"
)

func TestPathsThatCannotBeServed(t *testing.T) {
	for name, test := range map[string]struct {
		o    Options
		want string // in the fault; empty: none
	}{
		"all":               {Options{STOMP: STOMP{Path: "/stomp"}, Plain: Plain{"/ws", "/sse"}}, ""},
		"deep":              {Options{Path: "/a/io/", STOMP: STOMP{Path: "/a/b/stomp"}}, ""},
		"API off":           {Options{API: API{Off: true}, Plain: Plain{WebSocket: "/api/ws"}}, ""},
		"no slash":          {Options{STOMP: STOMP{Path: "stomp"}}, `Options.STOMP.Path is "stomp": must begin with a slash`},
		"a slash behind":    {Options{Plain: Plain{Events: "/sse/"}}, `Options.Plain.Events is "/sse/": must begin with a slash, and not end`},
		"braces":            {Options{Plain: Plain{Events: "/{x}"}}, `must have no blanks`},
		"dots":              {Options{Path: "/a/../b/"}, `must have no blanks`},
		"health":            {Options{STOMP: STOMP{Path: "/healthz/live"}}, `/healthz/ is taken`},
		"API":               {Options{Plain: Plain{WebSocket: "/api/ws"}}, `/api/ is taken`},
		"below Socket.IO":   {Options{STOMP: STOMP{Path: "/socket.io/stomp"}}, `/socket.io/ is taken`},
		"the same":          {Options{Plain: Plain{"/ws", "/ws"}}, `Options.Plain.Events is "/ws": /ws is taken`},
		"SockJS":            {Options{STOMP: STOMP{Path: "/s"}, Plain: Plain{WebSocket: "/s/websocket"}}, `/s/websocket is taken`},
		"Socket.IO and API": {Options{Path: "/api/"}, `Options.Path is "/api/"`},
	} {
		err := test.o.Validate()
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

// FuzzPaths: what Validate accepts can be mounted, which panics otherwise.
func FuzzPaths(f *testing.F) {
	f.Add("/socket.io/", "/stomp", "/ws", "/sse")
	f.Add("/{a}/", "/s%61", "/sa", "off")
	f.Add("/a/", "/a/b", "//", "/.")
	f.Fuzz(func(t *testing.T, io, stomp, ws, sse string) {
		o := Options{Path: io, STOMP: STOMP{Path: stomp}, Plain: Plain{ws, sse}}
		if o.Validate() != nil {
			return
		}
		n := &node{o: o.withDefaults()}
		mux := http.NewServeMux()
		mux.Handle(health.Path, http.NotFoundHandler())
		n.mount(mux)
	})
}
