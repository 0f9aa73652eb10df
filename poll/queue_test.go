package poll

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
)

// model is a queue as its contract says, without regard to speed.
type model struct {
	frames []Frame
	pinned int // frames that are on their way
	off    int
}

func (m *model) size() int {
	n := -m.off
	for _, f := range m.frames {
		n += len(f.Data)
	}
	return n
}

func (m *model) push(f Frame, slow bool, limit int) error {
	trial := model{frames: slices.Clone(m.frames), pinned: m.pinned, off: m.off}
	if slow && f.Overflow == KeepLatest && trial.replace(f, limit) {
		*m = trial
		return nil
	}
	for trial.size() > 0 && trial.size()+len(f.Data) > limit {
		i := slices.IndexFunc(trial.frames[trial.pinned:], func(q Frame) bool { return q.Overflow != CloseSlow })
		switch {
		case f.Overflow == CloseSlow:
			return ErrSlow
		case i < 0:
			return ErrDropped
		}
		trial.frames = slices.Delete(trial.frames, trial.pinned+i, trial.pinned+i+1)
	}
	trial.frames = append(trial.frames, f)
	*m = trial
	return nil
}

func (m *model) replace(f Frame, limit int) bool {
	for i := len(m.frames) - 1; i >= m.pinned; i-- {
		old := m.frames[i]
		if old.Overflow != KeepLatest || old.Key != f.Key {
			continue
		}
		size := m.size() - len(old.Data)
		inPlace := !slices.ContainsFunc(m.frames[i:], func(q Frame) bool { return q.Overflow != KeepLatest })
		if inPlace && (size == 0 || size+len(f.Data) <= limit) {
			m.frames[i] = f
			return true
		}
		m.frames = slices.Delete(m.frames, i, i+1)
		return false
	}
	return false
}

func (m *model) advance(n int) (done int) {
	for n > 0 {
		m.pinned = max(m.pinned, 1)
		rest := len(m.frames[0].Data) - m.off
		if n < rest {
			m.off += n
			return done
		}
		n -= rest
		m.frames, m.off = m.frames[1:], 0
		m.pinned--
		done++
	}
	return done
}

func (m *model) bytes() []byte {
	var all []byte
	for _, f := range m.frames {
		all = append(all, f.Data...)
	}
	return all[m.off:]
}

// play runs a program against a queue and the model, and compares.
func play(program []byte, limit int) error {
	var q queue
	var m model
	var drops dropCounters
	serial := 0
	for i := 0; i+1 < len(program); i += 2 {
		op, arg := program[i], int(program[i+1])
		switch op % 8 {
		case 6: // some bytes are written
			n := min(arg, q.size)
			if a, b := q.advance(n), m.advance(n); a != b {
				return fmt.Errorf("step %d: advance(%d) completes %d frames, want %d", i/2, n, a, b)
			}
		case 7: // some frames are on their way
			n := len(q.take(make([][]byte, 0, arg%5), math.MaxInt))
			m.pinned = max(m.pinned, n)
		default:
			serial++
			f := Frame{
				Data:     bytes.Repeat([]byte{byte(serial), byte(serial >> 8)}, 1+arg%16),
				Overflow: Overflow(op % 3),
				Key:      uint64(arg >> 6),
			}
			slow := op%2 == 0
			if a, b := q.push(f, slow, limit, &drops), m.push(f, slow, limit); !errors.Is(a, b) {
				return fmt.Errorf("step %d: push returns %v, want %v", i/2, a, b)
			}
		}
		if err := compare(&q, &m); err != nil {
			return fmt.Errorf("step %d: %w", i/2, err)
		}
	}
	return nil
}

func compare(q *queue, m *model) error {
	if q.size != m.size() || q.frames != len(m.frames) || q.empty() != (len(m.frames) == 0) {
		return fmt.Errorf("%d bytes in %d frames, want %d in %d", q.size, q.frames, m.size(), len(m.frames))
	}
	yielding := 0
	for _, f := range m.frames[m.pinned:] {
		if f.Overflow != CloseSlow {
			yielding += len(f.Data)
		}
	}
	if q.yielding != yielding {
		return fmt.Errorf("%d bytes could be dropped, want %d", q.yielding, yielding)
	}
	c := *q // take pins
	if got := bytes.Join(c.take(make([][]byte, 0, 1000), math.MaxInt), nil); !bytes.Equal(got, m.bytes()) {
		return fmt.Errorf("holds %x, want %x", got, m.bytes())
	}
	return nil
}

func FuzzQueue(f *testing.F) {
	f.Add([]byte{0, 5, 1, 6, 2, 7, 6, 3, 7, 2, 0, 9, 6, 40}, uint8(100))
	f.Add(bytes.Repeat([]byte{2, 70, 4, 130, 6, 9}, 40), uint8(60))
	f.Add(bytes.Repeat([]byte{2, 3, 2, 67, 0, 1, 7, 1, 6, 2}, 40), uint8(200))
	f.Add(bytes.Repeat([]byte{1, 15}, 40), uint8(255))
	f.Fuzz(func(t *testing.T, program []byte, limit uint8) {
		if err := play(program, int(limit)); err != nil {
			t.Error(err)
		}
	})
}

// The check of the queue must notice a queue that is broken.
func TestQueueCheckNotices(t *testing.T) {
	var drops dropCounters
	var m model
	var q queue
	for i := range 3 {
		f := Frame{Data: []byte{byte(i)}}
		_ = q.push(f, false, 100, &drops)
		_ = m.push(f, false, 100)
	}
	if err := compare(&q, &m); err != nil {
		t.Fatal(err)
	}
	q.ring[0], q.ring[1] = q.ring[1], q.ring[0]
	if compare(&q, &m) == nil {
		t.Error("swapped frames go unnoticed")
	}
	q.ring[0], q.ring[1] = q.ring[1], q.ring[0]
	q.remove(1)
	if compare(&q, &m) == nil {
		t.Error("a lost frame goes unnoticed")
	}
}

// KeepLatest: a hot key does not starve, and never overtakes an ordered frame.
func TestKeepLatestPlace(t *testing.T) {
	state := func(key uint64, data string) Frame {
		return Frame{Data: []byte(data), Key: key, Overflow: KeepLatest}
	}
	event := func(data string) Frame { return Frame{Data: []byte(data)} }
	for name, c := range map[string]struct {
		frames []Frame
		want   string
	}{
		"only state: takes the place":    {[]Frame{state(1, "a1 "), state(2, "b1 "), state(1, "a2 ")}, "a2 b1 "},
		"event between: goes to the end": {[]Frame{state(1, "a1 "), event("left "), state(1, "a2 ")}, "left a2 "},
		"event before: takes the place":  {[]Frame{event("came "), state(1, "a1 "), state(2, "b1 "), state(1, "a2 ")}, "came a2 b1 "},
	} {
		t.Run(name, func(t *testing.T) {
			var q queue
			var drops dropCounters
			for _, f := range c.frames {
				if err := q.push(f, true, 100, &drops); err != nil {
					t.Fatal(err)
				}
			}
			if got := bytes.Join(q.take(make([][]byte, 0, 9), math.MaxInt), nil); string(got) != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if drops.replaced.Load() != 1 {
				t.Errorf("%d replaced", drops.replaced.Load())
			}
		})
	}
}

// A queue that keeps dropping behind a frame that stays does not grow.
func TestQueueReusesItsRing(t *testing.T) {
	var q queue
	var drops dropCounters
	_ = q.push(Frame{Data: []byte("stays")}, true, 50, &drops)
	for range 10_000 {
		if err := q.push(Frame{Data: []byte("drop me"), Overflow: DropOldest}, true, 50, &drops); err != nil {
			t.Fatal(err)
		}
	}
	if len(q.ring) > 16 {
		t.Errorf("ring of %d places for %d frames", len(q.ring), q.frames)
	}
	if want := uint64(10_000 - (q.frames - 1)); drops.oldest.Load() != want {
		t.Errorf("%d dropped, want %d", drops.oldest.Load(), want)
	}
}
