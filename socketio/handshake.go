package socketio

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/seed-09a96375/belfry"
)

// Handshake is what a client said when it connected.
type Handshake struct {
	Headers     map[string]string `json:"headers"` // names in lower case
	Query       map[string]string `json:"query"`
	Auth        Auth              `json:"auth"`
	Time        string            `json:"time"`
	Issued      int64             `json:"issued"` // ms since 1970
	Address     string            `json:"address"`
	URL         string            `json:"url"`
	Secure      bool              `json:"secure"`
	CrossDomain bool              `json:"xdomain"`
}

// handshakeTime is how JavaScript prints a Date.
func handshakeTime(t time.Time) string {
	return t.UTC().Format("Mon Jan 02 2006 15:04:05") + " GMT+0000 (Coordinated Universal Time)"
}

// Handshake is what the client said when it connected.
func (s *Socket) Handshake() Handshake {
	h := s.client.session.Handshake()
	headers := make(map[string]string)
	for k, v := range h.Header() {
		headers[lower(k)] = joinHeader(k, v)
	}
	auth := s.Auth()
	if auth == nil {
		auth = Auth("{}")
	}
	return Handshake{
		Headers: headers, Query: lastValues(h.Query()), Auth: auth, URL: h.URL(), Address: h.RemoteAddr(),
		Secure: h.Secure(), CrossDomain: h.CrossDomain(), Issued: h.Time().UnixMilli(), Time: handshakeTime(h.Time()),
	}
}

// Describe implements hub.Member: as sockets of Node.js do, and with the front
// and the user.
func (s *Socket) Describe() []byte {
	s.mu.Lock()
	var data any
	if s.x != nil {
		data = s.x.data
	}
	s.mu.Unlock()
	if data == nil {
		data = struct{}{}
	}
	described := struct {
		ID        belfry.SocketID `json:"id"`
		Front     string          `json:"front"`
		User      string          `json:"user,omitempty"`
		Handshake Handshake       `json:"handshake"`
		Rooms     []belfry.Room   `json:"rooms"`
		Data      any             `json:"data"`
	}{s.id, "socket.io", s.User(), s.Handshake(), s.Rooms(), data}
	b, err := json.Marshal(described)
	if err != nil {
		described.Data = struct{}{} // the application's data has no JSON form
		b, _ = json.Marshal(described)
	}
	return b
}

func lower(name string) string { return strings.ToLower(name) }

// joinHeader is what Node makes of a header that came several times.
func joinHeader(name string, values []string) string {
	if name == "Cookie" {
		return strings.Join(values, "; ")
	}
	return strings.Join(values, ", ")
}
