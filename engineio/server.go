package engineio

import (
	"context"
	"errors"
	"net/http"
)

// Server serves Engine.IO sessions. Safe for concurrent use.
type Server struct {
	o      Options
	accept func(*Session) Receiver
}

// New checks o and returns a server that has started nothing yet. accept is
// called for every new session before anything is read from it; it may already
// send. A nil Receiver ends the session at once.
func New(o Options, accept func(*Session) Receiver) (*Server, error) {
	return &Server{o: o, accept: accept}, nil
}

// ServeHTTP serves every Engine.IO request, whatever path it is mounted on.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {}

// Close refuses new sessions, ends all others gracefully with ReasonServerShutdown,
// and waits until they and all goroutines are gone. When ctx ends first, what is
// left is cut off and the error is that of ctx.
func (s *Server) Close(ctx context.Context) error { return errors.ErrUnsupported }

// CloseReason is Close with another reason for Receiver.Closed.
func (s *Server) CloseReason(ctx context.Context, r Reason) error { return errors.ErrUnsupported }

// Sessions returns the number of open sessions.
func (s *Server) Sessions() int { return 0 }

// Each calls f for every session that is open when Each begins. f may call
// anything.
func (s *Server) Each(f func(*Session)) {}
