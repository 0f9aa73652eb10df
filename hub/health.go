package hub

import "github.com/seed-09a96375/belfry"

// Health implements belfry.HealthReporter: it reports what the link to the bus
// says of itself. A bus that does not watch itself is well until Close.
func (h *Hub) Health() (ok bool, reasons []string) {
	if h.closed.Load() {
		return false, []string{"the node has left the cluster"}
	}
	if r, watched := h.link.(belfry.HealthReporter); watched {
		return r.Health()
	}
	return true, nil
}
