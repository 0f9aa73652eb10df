package poll_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"testing"
)

// The frames of the tests name themselves: size, sender, number, filler.
const frameHead = 12

func stamped(sender, number uint32, filler int) []byte {
	p := make([]byte, frameHead+filler)
	binary.BigEndian.PutUint32(p, uint32(len(p)))
	binary.BigEndian.PutUint32(p[4:], sender)
	binary.BigEndian.PutUint32(p[8:], number)
	for i := range filler {
		p[frameHead+i] = byte(number)
	}
	return p
}

// ledger counts every frame of a stream by sender and number. Numbers start at
// 1 and must rise.
type ledger struct {
	seen map[uint32][]uint32
}

func newLedger() *ledger { return &ledger{seen: make(map[uint32][]uint32)} }

// read takes all frames until the stream ends.
func (l *ledger) read(r io.Reader) error {
	var head [frameHead]byte
	for {
		if _, err := io.ReadFull(r, head[:]); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("in a frame's head: %w", err)
		}
		size := binary.BigEndian.Uint32(head[:])
		if size < frameHead || size > 16<<20 {
			return fmt.Errorf("a frame of %d bytes: torn", size)
		}
		filler := make([]byte, size-frameHead)
		if _, err := io.ReadFull(r, filler); err != nil {
			return fmt.Errorf("in a frame: %w", err)
		}
		if err := l.note(binary.BigEndian.Uint32(head[4:]), binary.BigEndian.Uint32(head[8:]), filler); err != nil {
			return err
		}
	}
}

func (l *ledger) note(sender, number uint32, filler []byte) error {
	if i := slices.IndexFunc(filler, func(b byte) bool { return b != byte(number) }); i >= 0 {
		return fmt.Errorf("frame %d of sender %d: foreign bytes", number, sender)
	}
	if last := l.last(sender); number <= last {
		return fmt.Errorf("frame %d of sender %d comes after %d", number, sender, last)
	}
	l.seen[sender] = append(l.seen[sender], number)
	return nil
}

func (l *ledger) last(sender uint32) uint32 {
	if s := l.seen[sender]; len(s) > 0 {
		return s[len(s)-1]
	}
	return 0
}

// total is the number of frames seen.
func (l *ledger) total() (n int) {
	for _, s := range l.seen {
		n += len(s)
	}
	return n
}

// complete reports what is missing of senders 0 … senders-1, each of which sent
// frames 1 … count.
func (l *ledger) complete(senders, count int) error {
	for s := range uint32(senders) {
		if len(l.seen[s]) != count || l.last(s) != uint32(count) {
			return fmt.Errorf("sender %d: %d frames of %d, the last is %d", s, len(l.seen[s]), count, l.last(s))
		}
	}
	return nil
}

// The ledger must notice each fault that it is there for.
func TestLedgerNotices(t *testing.T) {
	frames := func(numbers ...uint32) (p []byte) {
		for _, n := range numbers {
			p = append(p, stamped(0, n, 5)...)
		}
		return p
	}
	spoilt := frames(1, 2, 3)
	spoilt[frameHead+2] = 9
	for name, c := range map[string]struct {
		stream []byte
		good   bool
	}{
		"nothing wrong":   {frames(1, 2, 3), true},
		"a frame missing": {frames(1, 3), false},
		"last missing":    {frames(1, 2), false},
		"swapped":         {frames(2, 1, 3), false},
		"twice":           {frames(1, 2, 2, 3), false},
		"cut off":         {frames(1, 2, 3)[:40], false},
		"torn":            {append(frames(1), frames(2, 3)[1:]...), false},
		"foreign bytes":   {spoilt, false},
	} {
		l := newLedger()
		err := l.read(&dribble{c.stream})
		if err == nil {
			err = l.complete(1, 3)
		}
		if (err == nil) != c.good {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// dribble is a reader of small pieces.
type dribble struct{ p []byte }

func (d *dribble) Read(p []byte) (int, error) {
	if len(d.p) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(3, len(p))], d.p)
	d.p = d.p[n:]
	return n, nil
}
