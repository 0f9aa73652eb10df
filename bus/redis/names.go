package redis

import (
	"strconv"
	"strings"

	"github.com/seed-09a96375/belfry"
)

// names are the keys and channels of a cluster. All share one hash tag, so that
// a script may use them together.
type names struct{ base string }

func newNames(prefix string) names { return names{prefix + "{0}:"} }

func (n names) epoch() string                 { return n.base + "epoch" }
func (n names) seq() string                   { return n.base + "seq" }
func (n names) log() string                   { return n.base + "log" }
func (n names) nodes() string                 { return n.base + "nodes" }
func (n names) awaited() string               { return n.base + "awaited" }
func (n names) hole(counter uint64) string    { return n.base + "hole:" + strconv.FormatUint(counter, 10) }
func (n names) owners() string                { return n.base + "owners" }
func (n names) trimLock() string              { return n.base + "trim" }
func (n names) lease(id belfry.NodeID) string { return n.base + "lease:" + string(id) }
func (n names) session(hash string) string    { return n.base + "session:" + hash }
func (n names) sessions(holder string) string { return n.base + "sessions:" + holder }
func (n names) holders() string               { return n.base + "holders" }
func (n names) addresses() string             { return n.base + "addresses" }
func (n names) channel(suffix string) string  { return n.base + suffix }
func (n names) suffix(channel string) string  { return strings.TrimPrefix(channel, n.base) }
func (n names) roomPattern() string           { return globQuote(n.base) + "room:*" }

// everyone is the channel of messages that concern more than one room.
const everyone = "all"

func nodeChannel(id belfry.NodeID) string { return "node:" + string(id) }

// roomChannel joins namespace and room. Two pairs may get the same name; then
// nodes get more than they asked for, which is allowed, and never less.
func roomChannel(namespace string, room belfry.Room) string {
	return "room:" + namespace + "#" + string(room)
}

// channelOf returns the channel that a message goes to: that of the node it is
// for, or of its room if it has exactly one. An exception needs no thought, it
// only takes members away. A request goes to everyone, since every node is to
// answer.
func channelOf(m *belfry.Message) string {
	if m.To != "" {
		return nodeChannel(m.To)
	}
	if len(m.Target.Rooms) == 1 && m.Request == 0 {
		return roomChannel(m.Namespace, m.Target.Rooms[0])
	}
	return everyone
}

// globQuote makes a pattern that matches s alone.
func globQuote(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(s)
}
