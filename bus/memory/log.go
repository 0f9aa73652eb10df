package memory

import (
	"context"
	"crypto/rand"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
)

// messageLog keeps the messages of all namespaces in one sequence.
type messageLog struct {
	turn  turn // held while a logged message is delivered
	limit Log
	epoch string

	mu      sync.Mutex
	records []*record // those from head on are kept
	head    int
	bytes   int
	last    uint64    // the number of the newest message ever
	trimmed time.Time // when the newest that is no longer kept was published
}

// record is one message. Records are linked so that a replay can walk them
// without the lock, and without copying a long log for each client that comes
// back: next is written before the log's last reaches the number that follows.
type record struct {
	message *belfry.Message
	number  uint64
	at      time.Time
	size    int
	next    *record
}

// recordSize is about what a record takes besides the content of its message.
const recordSize = 300

func newMessageLog(limit Log) *messageLog {
	// 50 random bits tell one run of the process from the next. Offsets travel
	// with every message to every client, so they are short.
	return &messageLog{turn: newTurn(), limit: limit, epoch: strings.ToLower(rand.Text()[:10])}
}

// append gives m its offset. The caller holds the turn.
func (g *messageLog) append(m *belfry.Message) {
	r := &record{message: m, at: time.Now(), size: sizeOf(m)}
	g.mu.Lock()
	defer g.mu.Unlock()
	r.number = g.last + 1
	m.Offset = g.offset(r.number)
	if n := len(g.records); n > g.head {
		g.records[n-1].next = r
	}
	if len(g.records) == cap(g.records) && g.head > len(g.records)/2 {
		n := copy(g.records, g.records[g.head:])
		clear(g.records[n:])
		g.records, g.head = g.records[:n], 0
	}
	g.records = append(g.records, r)
	g.bytes += r.size
	g.last = r.number
	g.trim(r.at)
}

// trim drops what is beyond the limits.
func (g *messageLog) trim(now time.Time) {
	for g.head < len(g.records) {
		oldest := g.records[g.head]
		if len(g.records)-g.head <= g.limit.MaxMessages && g.bytes <= g.limit.MaxBytes &&
			now.Sub(oldest.at) <= g.limit.MaxAge {
			return
		}
		g.bytes -= oldest.size
		g.trimmed = oldest.at
		g.records[g.head] = nil
		g.head++
	}
	g.records, g.head = g.records[:0], 0
}

// after returns the record that follows the offset, nil if there is none yet,
// and the number up to which the log reached now.
func (g *messageLog) after(o belfry.Offset) (first *record, last uint64, err error) {
	number, ok := g.number(o)
	if !ok {
		return nil, 0, belfry.ErrNoOffset
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.trim(time.Now())
	kept := uint64(len(g.records) - g.head)
	switch trimmed := g.last - kept; {
	case number > g.last, number < trimmed:
		return nil, 0, belfry.ErrNoOffset
	case number == g.last:
		return nil, g.last, nil
	default:
		return g.records[g.head+int(number-trimmed)], g.last, nil
	}
}

// replay calls f without any lock.
func (g *messageLog) replay(ctx context.Context, namespace string, after belfry.Offset, f func(*belfry.Message) error) error {
	r, last, err := g.after(after)
	if err != nil || r == nil {
		return err
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if r.message.Namespace == namespace {
			if err := f(r.message); err != nil {
				return err
			}
		}
		if r.number == last {
			return nil // r.next may be being written
		}
		r = r.next
	}
}

func (g *messageLog) position() belfry.Offset {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.offset(g.last)
}

// positionAt returns the position at that time; false if that is not known any
// more.
func (g *messageLog) positionAt(t time.Time) (belfry.Offset, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.trimmed.After(t) {
		return "", false
	}
	kept := g.records[g.head:]
	later, _ := slices.BinarySearchFunc(kept, t, func(r *record, t time.Time) int {
		if r.at.After(t) {
			return 1
		}
		return -1
	})
	return g.offset(g.last - uint64(len(kept)-later)), true
}

func (g *messageLog) before(a, b belfry.Offset) bool {
	x, ok := g.number(a)
	y, ok2 := g.number(b)
	return ok && ok2 && x < y
}

// offset returns "<epoch>-<number>".
func (g *messageLog) offset(number uint64) belfry.Offset {
	return belfry.Offset(g.epoch + "-" + strconv.FormatUint(number, 10))
}

// number reads an offset of this log as offset writes it, and no other way.
func (g *messageLog) number(o belfry.Offset) (uint64, bool) {
	epoch, digits, _ := strings.Cut(string(o), "-")
	if epoch != g.epoch {
		return 0, false
	}
	number, err := strconv.ParseUint(digits, 10, 64)
	canonical := digits == "0" || !strings.HasPrefix(digits, "0")
	return number, err == nil && canonical
}

func sizeOf(m *belfry.Message) int {
	n := recordSize + len(m.Data)
	for _, a := range m.Attachments {
		n += len(a)
	}
	for _, room := range m.Target.Rooms {
		n += len(room)
	}
	for _, room := range m.Target.Except {
		n += len(room)
	}
	return n
}
