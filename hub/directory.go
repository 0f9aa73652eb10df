package hub

import "github.com/seed-09a96375/belfry"

// Directory returns what the bus offers to find other nodes by, nil if it does
// not.
func (h *Hub) Directory() belfry.Directory {
	d, _ := h.link.(belfry.Directory)
	return d
}
