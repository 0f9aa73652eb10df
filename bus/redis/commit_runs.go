package redis

import (
	"errors"
	"strconv"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry"
)

// run is messages of a call that follow each other to one channel. The script knows
// only the run: what it costs Redis does not grow with the messages in it. A message
// with an ID is one by itself, since it alone may have been accepted before.
type run []*commit

// runsOf takes a batch apart.
func runsOf(batch []*commit) []run {
	var all []run
	for i, c := range batch {
		if i == 0 || c.named() || !c.continues(batch[i-1]) {
			all = append(all, run{})
		}
		last := &all[len(all)-1]
		*last = append(*last, c)
	}
	return all
}

// continues reports whether c may be in the run of the one before it.
func (c *commit) continues(d *commit) bool {
	return !d.named() && c.p.channel == d.p.channel && c.p.sequenced == d.p.sequenced
}

// body is that of its message, or a batch.
func (r run) body() []byte {
	if len(r) == 1 {
		return r[0].body
	}
	bodies := make([][]byte, len(r))
	for i, c := range r {
		bodies[i] = c.body
	}
	return encodeBatch(bodies)
}

// arguments are those of publish.lua.
func (s *commits) arguments(in *incarnation, generation uint64, runs []run) []string {
	l, o := s.link, s.link.bus.opts
	args := make([]string, 0, 6+4*len(runs))
	args = append(args, l.tokenText(generation), l.bus.names.base, strconv.Itoa(o.Log.MaxMessages), millis(o.Log.MaxAge),
		in.name(), millis(o.IDs.Window))
	for _, r := range runs {
		c := r[0]
		m := c.p.message
		args = append(args, c.p.channel, flags4(c.p.sequenced, mayBeSocket(m), replayed(m), c.named()),
			strconv.Itoa(len(r)), rueidis.BinaryString(r.body()))
		if c.named() {
			args = append(args, placeKey(belfry.Place{Namespace: m.Namespace, Room: belfry.Room(m.ID)}), c.p.mark(l.lease.run))
		}
	}
	return args
}

func flags4(flags ...bool) string {
	text := make([]byte, 0, 4)
	for _, f := range flags {
		text = append(text, flag(f)...)
	}
	return string(text)
}

// answer gives its messages what the script says of the run: their numbers follow each
// other.
func (r run) answer(number, text *rueidis.RedisMessage) {
	n, err := number.AsInt64()
	words, err2 := text.ToString()
	for i, c := range r {
		switch {
		case err != nil || err2 != nil:
			c.err = errors.Join(errPush, err, err2)
		case n < 0:
			c.err = c.acceptedBefore(words)
		case n == 0:
			c.owner = belfry.NodeID(words)
		default:
			c.seq, c.owner = uint64(n)+uint64(i), belfry.NodeID(words)
		}
	}
}

// acceptedBefore reads what the script says of the message that had its ID first.
func (c *commit) acceptedBefore(words string) (err error) {
	if c.before, err = parseAccepted(words); err == nil {
		c.seq = c.before.seq
	}
	return err
}
