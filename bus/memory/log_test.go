package memory

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-09a96375/belfry"
)

// add appends n messages and returns their offsets.
func (g *messageLog) add(n int) (offsets []belfry.Offset) {
	for range n {
		m := message("room")
		g.append(m)
		offsets = append(offsets, m.Offset)
	}
	return offsets
}

// follows counts what is replayed after the offset, -1 if it is refused.
func follows(t *testing.T, g *messageLog, after belfry.Offset) (n int) {
	t.Helper()
	err := g.replay(t.Context(), "/", after, func(*belfry.Message) error { n++; return nil })
	if errors.Is(err, belfry.ErrNoOffset) {
		return -1
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestLogIsBounded(t *testing.T) {
	size := sizeOf(message("room"))
	for name, limit := range map[string]Log{
		"count": {MaxMessages: 10},
		"bytes": {MaxBytes: 10*size + size/2},
	} {
		t.Run(name, func(t *testing.T) {
			g := newMessageLog(limit.withDefaults())
			begin := g.position()
			offsets := g.add(1000)
			if n := follows(t, g, begin); n != -1 {
				t.Errorf("after the very first position %d messages are replayed", n)
			}
			for i, offset := range offsets {
				want := len(offsets) - 1 - i
				if want > 10 {
					want = -1
				}
				if n := follows(t, g, offset); n != want {
					t.Fatalf("after message %d of %d: %d are replayed, want %d", i, len(offsets), n, want)
				}
			}
			if g.bytes != 10*size || cap(g.records) > 100 {
				t.Errorf("%d bytes and room for %d records are held", g.bytes, cap(g.records))
			}
		})
	}
}

func TestLogForgetsWithTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newMessageLog(Log{MaxAge: time.Minute}.withDefaults())
		begin := g.position()
		old := g.add(2)
		<-time.After(40 * time.Second) // of the bubble's clock
		young := g.add(1)
		<-time.After(20 * time.Second)
		if n := follows(t, g, begin); n != 3 {
			t.Errorf("at the age of a minute %d messages are replayed, want 3", n)
		}
		<-time.After(time.Second)
		for offset, want := range map[belfry.Offset]int{begin: -1, old[0]: -1, old[1]: 1, young[0]: 0} {
			if n := follows(t, g, offset); n != want {
				t.Errorf("after %s: %d, want %d", offset, n, want)
			}
		}
		<-time.After(time.Hour)
		if n := follows(t, g, young[0]); n != 0 {
			t.Errorf("after the last message, long ago: %d, want 0: nothing was missed", n)
		}
		if g.bytes != 0 {
			t.Errorf("%d bytes are held of nothing", g.bytes)
		}
	})
}

func TestMessageLargerThanTheLog(t *testing.T) {
	g := newMessageLog(Log{MaxBytes: 2000}.withDefaults())
	before := g.add(1)
	m := message("room")
	m.Attachments = [][]byte{make([]byte, 3000)}
	g.append(m)
	after := g.add(1)
	for offset, want := range map[belfry.Offset]int{before[0]: -1, m.Offset: 1, after[0]: 0} {
		if n := follows(t, g, offset); n != want {
			t.Errorf("after %s: %d, want %d", offset, n, want)
		}
	}
}

// TestReplayWhileTheLogIsTrimmed replays from a log that is overwritten several
// times over meanwhile: what was promised at the beginning comes whole.
func TestReplayWhileTheLogIsTrimmed(t *testing.T) {
	g := newMessageLog(Log{MaxMessages: 50}.withDefaults())
	var writer sync.WaitGroup
	defer writer.Wait()
	stop := make(chan struct{})
	defer close(stop)
	writer.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				g.add(10)
			}
		}
	})
	for range 300 {
		after := g.position()
		from, ok := g.number(after)
		if !ok {
			t.Fatalf("own position %s is not understood", after)
		}
		err := g.replay(t.Context(), "/", after, func(m *belfry.Message) error {
			n, _ := g.number(m.Offset)
			if n != from+1 {
				return fmt.Errorf("%d comes after %d", n, from)
			}
			from = n
			return nil
		})
		if err != nil && !errors.Is(err, belfry.ErrNoOffset) {
			t.Fatal(err)
		}
	}
}

func TestOffsetsOfAnotherLog(t *testing.T) {
	a, b := newMessageLog(Log{}.withDefaults()), newMessageLog(Log{}.withDefaults())
	ofA, ofB := a.add(2), b.add(2)
	if n := follows(t, a, ofB[0]); n != -1 {
		t.Errorf("an offset of another log replays %d messages", n)
	}
	if a.before(ofA[0], ofB[1]) || a.before(ofB[0], ofA[1]) || !a.before(ofA[0], ofA[1]) {
		t.Error("offsets of two logs are compared")
	}
}

func TestOffsetForm(t *testing.T) {
	g := newMessageLog(Log{}.withDefaults())
	offset := string(g.add(1)[0])
	if len(offset) != 12 || !strings.HasSuffix(offset, "-1") {
		t.Errorf("the first offset is %q", offset)
	}
	for _, bad := range []string{"", "-", "1", g.epoch, g.epoch + "-", g.epoch + "-01", g.epoch + "-00", g.epoch + "-+1", g.epoch + "--1", g.epoch + "-1 ", g.epoch + "-18446744073709551616"} {
		if n, ok := g.number(belfry.Offset(bad)); ok {
			t.Errorf("%q is read as %d", bad, n)
		}
	}
}

// FuzzOffset: what is read as an offset is written the same way.
func FuzzOffset(f *testing.F) {
	g := newMessageLog(Log{}.withDefaults())
	g.epoch = "epoch"
	for _, seed := range []string{"epoch-0", "epoch-1", "epoch-18446744073709551615", "epoch-01", "other-1", "epoch--1", "epoch", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n, ok := g.number(belfry.Offset(s)); ok && string(g.offset(n)) != s {
			t.Errorf("%q is read as %d", s, n)
		}
	})
}
