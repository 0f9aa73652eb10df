package redis

import (
	"strconv"
	"strings"

	"github.com/seed-09a96375/belfry"
)

// epoch names one incarnation of the Redis that holds the log: the replication
// id, which changes with every start and every failover, and a counter that only
// grows. Numbers of one epoch say nothing about another.
type epoch struct {
	replication string
	counter     uint64
}

// name is what stands in offsets: short, since offsets travel with every message
// to every client.
func (e epoch) name() string {
	return e.replication[:min(8, len(e.replication))] + "." + strconv.FormatUint(e.counter, 36)
}

// offset returns "<replication>.<counter>-<number>".
func (e epoch) offset(number uint64) belfry.Offset {
	return belfry.Offset(e.name() + "-" + strconv.FormatUint(number, 10))
}

// position is an offset, taken apart.
type position struct {
	epoch   string // as epoch.name writes it
	counter uint64
	number  uint64
}

// parseOffset reads an offset as epoch.offset writes it, and no other way.
func parseOffset(o belfry.Offset) (position, bool) {
	name, digits, _ := strings.Cut(string(o), "-")
	_, counter, ok := strings.Cut(name, ".")
	c, ok2 := parseCanonical(counter, 36)
	n, ok3 := parseCanonical(digits, 10)
	return position{name, c, n}, ok && ok2 && ok3
}

func parseCanonical(s string, base int) (uint64, bool) {
	n, err := strconv.ParseUint(s, base, 64)
	return n, err == nil && strconv.FormatUint(n, base) == s
}

// before reports whether p comes before q. Whatever an earlier epoch holds comes
// before whatever a later one does.
func (p position) before(q position) bool {
	if p.counter != q.counter {
		return p.counter < q.counter
	}
	return p.epoch == q.epoch && p.number < q.number
}
