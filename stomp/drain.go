package stomp

import (
	"context"
	"time"

	"github.com/seed-09a96375/belfry/websocket"
)

// Drain moves the clients to other nodes: before a node is stopped. From now on new
// clients are turned away (503), and the connections of those that are here are
// ended one after the other (1001), evenly over the given time; 0 or less: all at
// once. Clients reconnect and subscribe again by themselves; what is published
// between is not theirs.
//
// Drain returns when the last has been told, or with the error of ctx when that
// ends: then the others are still there. Close follows.
func (s *Server) Drain(ctx context.Context, over time.Duration) error {
	return s.conns.Drain(ctx, over, (*Conn).shutdown)
}

// shutdown ends a connection for the node's sake: clients come back elsewhere.
func (c *Conn) shutdown() { c.close(websocket.CloseGoingAway, "server shutting down") }
