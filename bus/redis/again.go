package redis

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"slices"
)

// A message may be sent again after a failover, when its publisher cannot know
// whether other nodes had it from the Redis that is gone: the new log does not
// have it. Then its body ends with a mark, and a node looks whether it was among
// the last that it delivered. Bytes of the message that happen to look like the
// mark cost no more than that look.

var againMark = binary.AppendUvarint(binary.AppendUvarint(binary.AppendUvarint(nil, fieldAgain), 1), 1)

// markAgain returns the body with the mark.
func markAgain(body []byte) []byte { return append(slices.Clip(body), againMark...) }

func isAgain(body []byte) bool { return bytes.HasSuffix(body, againMark) }

// recentSize is how many messages are remembered: those that came shortly before a
// failover, and after it until the publisher has sent again.
const recentSize = 4096

// recent remembers the last messages that were delivered.
type recent struct {
	seed maphash.Seed
	keys [recentSize]uint64
	next int
}

func (r *recent) init() { r.seed = maphash.MakeSeed() }

func (r *recent) key(origin []byte, count uint64) uint64 {
	return maphash.Bytes(r.seed, origin) ^ count*0x9e3779b97f4a7c15 // spreads the count over all bits
}

func (r *recent) add(origin []byte, count uint64) {
	r.keys[r.next] = r.key(origin, count)
	r.next = (r.next + 1) % recentSize
}

func (r *recent) has(origin []byte, count uint64) bool {
	return slices.Contains(r.keys[:], r.key(origin, count))
}
