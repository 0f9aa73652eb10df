package stomp

// lost ends the clients that may have missed messages, which the bus has lost: an
// ERROR is all that the protocol has to say so. Those without a subscription have
// missed nothing.
func (s *Server) lost() {
	for _, c := range s.conns.All() {
		if len(c.subs()) > 0 {
			c.fail(&refusal{code: closeTryLater, name: "lost", message: "messages were lost: subscribe again"}, "")
		}
	}
}
