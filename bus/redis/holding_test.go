package redis

import (
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-09a96375/belfry"
)

func TestRaise(t *testing.T) {
	const old, mid, late, other = "0123abcd.a-5", "0123abcd.a-50", "0123abcd.a-90", "9876abcd.b-7"
	for name, c := range map[string]struct {
		since     belfry.Offset
		begun     uint64
		confirmed string
		want      belfry.Offset
	}{
		"held for long":         {old, 1000, "9000 " + mid, mid},
		"held for not so long":  {old, 8500, "9000 " + mid, old},
		"later already":         {late, 1000, "9000 " + mid, late},
		"of another epoch":      {other, 1000, "9000 " + mid, other},
		"begun without a log":   {"", 1000, "9000 " + mid, ""},
		"nothing confirmed":     {old, 1000, "", old},
		"no time":               {old, 1000, "x " + mid, old},
		"no offset":             {old, 1000, "9000 what", old},
		"a number out of range": {old, 1<<63 - 1, "9000 " + mid, old},
	} {
		s := &belfry.Session{Since: c.since, Rooms: []belfry.Membership{{Room: "a", Since: c.since}, {Room: "b", Since: late}}}
		raise(s, c.begun, c.confirmed)
		if s.Since != c.want || s.Rooms[0].Since != c.want || s.Rooms[1].Since != late {
			t.Errorf("%s: since %q, rooms %v, want %q", name, s.Since, s.Rooms, c.want)
		}
	}
}

// TestConfirmedIsOld: only what was delivered long enough ago, by a clock that
// stands while the process does.
func TestConfirmedIsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &holding{after: 5 * time.Second}
		for _, o := range []belfry.Offset{"a", "b", "c", "", "e", "f", "g", "h"} {
			h.tick(o)
			<-time.After(beatEvery) // of the bubble's clock
		}
		if got := h.confirmed(); got != "2000 c" {
			t.Errorf("%q is confirmed after 8 s, want what was delivered 5 s ago", got)
		}
		<-time.After(time.Hour)
		if got := h.begin(0); got != 9*time.Second {
			t.Errorf("it is %v after an hour without a beat, want 9s", got)
		}
		h.tick("i")
		if got := h.confirmed(); got != "4000 e" {
			t.Errorf("%q is confirmed after an hour without a beat, want what was delivered before", got)
		}
		for range 100 {
			<-time.After(beatEvery)
			h.tick("z")
		}
		if n := len(h.steps); n > 7 {
			t.Errorf("%d steps are remembered for 5 s", n)
		}
	})
}

// FuzzStored wants that no stored session breaks a node, and that what this
// version stores is read again.
func FuzzStored(f *testing.F) {
	s := &belfry.Session{Socket: "s", Since: "0123abcd.a-1", Rooms: []belfry.Membership{{Room: "r", Since: "0123abcd.a-2"}}}
	f.Add(encodeStored(s, time.Second), "9000 0123abcd.a-4")
	f.Add(strings.Replace(encodeStored(s, time.Second), "\n", " 9000 0123abcd.a-3\n", 1), "")
	f.Add("1\n\x01\x06", "")
	f.Add("\n", " ")
	f.Fuzz(func(t *testing.T, stored, confirmed string) {
		got, err := decodeStored(stored, confirmed)
		if err != nil {
			return
		}
		again, err := decodeStored(encodeStored(got, 0), "")
		if err != nil || !reflect.DeepEqual(got, again) {
			t.Fatalf("%+v becomes %+v, %v", got, again, err)
		}
	})
}
