package plain

import (
	"errors"
	"net/http"

	"github.com/seed-09a96375/belfry/internal/origin"
	"github.com/seed-09a96375/belfry/websocket"
)

// WebSocket serves JSON over WebSocket, on whatever path it is mounted.
func (s *Server) WebSocket() http.Handler { return http.HandlerFunc(s.serveWebSocket) }

func (s *Server) serveWebSocket(w http.ResponseWriter, r *http.Request) {
	h, err := s.upgrader.Check(r)
	switch {
	case err != nil:
		refuse(w, err)
	case !origin.Allowed(r, s.o.Origins):
		http.Error(w, "origin not allowed", http.StatusForbidden)
	case !s.conns.Reserve(s.o.MaxConnections):
		w.Header().Set("Retry-After", "5")
		http.Error(w, "no more connections", http.StatusServiceUnavailable)
	default:
		s.openWebSocket(w, r, h)
	}
}

// openWebSocket takes the connection over. Its place is reserved.
func (s *Server) openWebSocket(w http.ResponseWriter, r *http.Request, h websocket.Handshake) {
	bound := false
	c := newConn(s, newLogin(r), false)
	_, err := s.upgrader.Upgrade(w, h, websocket.Start{Bind: func(ws *websocket.Conn) websocket.Handler {
		bound = true
		c.out = ws
		c.open()
		return c
	}})
	if !bound {
		s.conns.GiveBack()
	}
	if err != nil && !refuse(w, err) {
		s.o.Logger.Debug("websocket not opened", "remote", r.RemoteAddr, "err", err)
	}
}

// refuse answers with err if it is one that can be answered.
func refuse(w http.ResponseWriter, err error) bool {
	he, ok := errors.AsType[*websocket.HandshakeError](err)
	if !ok {
		return false
	}
	for name, values := range he.Header {
		w.Header()[name] = values
	}
	http.Error(w, "WebSocket: "+he.Message, he.Status)
	return true
}
