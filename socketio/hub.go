package socketio

import "github.com/seed-09a96375/belfry/hub"

// Hub is this server's node of the cluster, for other fronts that serve clients of
// the same rooms. They are closed before the server is.
func (s *Server) Hub() *hub.Hub { return s.hub }
