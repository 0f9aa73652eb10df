package socketio

// Health implements belfry.HealthReporter: it reports whether this node should
// get new clients, and if not, why: it is being drained or closed, or messages do
// not reach it or the cluster. It does not block.
func (s *Server) Health() (ok bool, reasons []string) {
	if s.draining.Load() {
		reasons = append(reasons, "draining: clients move to other nodes")
	}
	_, more := s.hub.Health()
	reasons = append(reasons, more...)
	return len(reasons) == 0, reasons
}
