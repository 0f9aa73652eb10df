package engineio

// Refuse turns new sessions away from now on, with 503 and Retry-After, as Close
// does. Those that are open go on.
func (s *Server) Refuse() { s.index.close() }
