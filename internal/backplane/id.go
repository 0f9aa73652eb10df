package backplane

import (
	"crypto/rand"
	"os"
	"strings"

	"github.com/seed-09a96375/belfry"
)

// NodeID returns a name for a node that no other has, also not the same node
// after a restart: the given name, "" for that of this machine, and some random
// characters.
func NodeID(name string) belfry.NodeID {
	if name == "" {
		name, _ = os.Hostname() // without one the random part is the name
		name, _, _ = strings.Cut(name, ".")
	}
	id := strings.ToLower(rand.Text()[:6])
	if name != "" {
		id = name + "-" + id
	}
	return belfry.NodeID(id)
}
