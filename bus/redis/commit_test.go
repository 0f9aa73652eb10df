//go:build unix

package redis

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

// publishTogether publishes messages in one call, and returns their errors.
func publishTogether(t *testing.T, link belfry.Link, messages ...*belfry.Message) []error {
	t.Helper()
	l := linkOf(link)
	batch, errs := make([]*commit, len(messages)), make([]error, len(messages))
	for i, m := range messages {
		p := newPublication(m, l.progress.now())
		p.sure = l.echoes(p)
		l.pending.add(p)
		batch[i] = newCommit(p, encodeMessage(m, l.id, p.count))
	}
	l.commits.call(slices.Clone(batch))
	for i, c := range batch {
		check(t, c.err)
		back, err := l.outcome(c.p, c)
		if errs[i] = err; back {
			l.pending.accept(c.p)
			check(t, l.await(t.Context(), c.p))
		}
	}
	return errs
}

// TestOneCall: messages that wait go in one call, as one entry of the log, and come
// as if each had gone alone: live, from the log, and to who comes back.
func TestOneCall(t *testing.T) {
	server := redistest.Start(t)
	a, la := attach(t, open(t, Options{URL: server.URL()}), "a")
	b, lb := attach(t, open(t, Options{URL: server.URL(), Interest: true}), "b")
	check(t, lb.(belfry.Follower).Follow(t.Context(), "/", "x"))
	begin, err := la.(belfry.Log).Position(t.Context())
	check(t, err)
	messages := make([]*belfry.Message, 0, 40)
	for i := range 40 {
		m := redistest.Message(fmt.Sprint("m", i), belfry.Room([]string{"x", "y"}[i%2]))
		m.Unlogged = i%5 == 0
		messages = append(messages, m)
	}
	check(t, errors.Join(publishTogether(t, la, messages...)...))
	redistest.Publish(t, la, redistest.Message("end"))
	check(t, a.Await(t.Context(), "end"))
	check(t, b.Await(t.Context(), "end"))
	if n := server.Must("XLEN", "belfry:{0}:log"); n != ":2" {
		t.Errorf("the log has %s entries, want one for all and one for the end", n)
	}
	if got := b.Got(); len(got) != 21 || !slices.Equal(got, of(a.Got(), got)) {
		t.Errorf("b got %v, a %v", got, a.Got())
	}
	for after := 0; after <= 32; after++ {
		from := begin
		if after > 0 {
			from = offsets(messages)[after-1]
		}
		for _, l := range []belfry.Link{la, lb} {
			var got []belfry.Offset
			check(t, l.(belfry.Log).Replay(t.Context(), "/", from, func(m *belfry.Message) error { got = append(got, m.Offset); return nil }))
			if want := offsets(messages)[after:]; len(got) != len(want)+1 || !slices.Equal(got[:len(want)], want) {
				t.Fatalf("replay after %s: %v, want %v and the end", from, got, want)
			}
		}
	}
}

// of returns those of all that are among some.
func of(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(id string) bool { return !slices.Contains(some, id) })
}

// offsets returns those of the logged messages, in their order.
func offsets(messages []*belfry.Message) []belfry.Offset {
	var all []position
	for _, m := range messages {
		if p, ok := parseOffset(m.Offset); ok {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b position) int { return int(a.number) - int(b.number) })
	texts := make([]belfry.Offset, len(all))
	for i, p := range all {
		texts[i] = belfry.Offset(fmt.Sprintf("%s-%d", p.epoch, p.number))
	}
	return texts
}

// TestIDsAmongOthers: messages with IDs, some of which came before, and messages
// without go together, each once, and each publisher learns the number of its own.
func TestIDsAmongOthers(t *testing.T) {
	server := redistest.Start(t)
	a, la := attach(t, open(t, Options{URL: server.URL()}), "a")
	messages := make([]*belfry.Message, 60)
	for i := range messages {
		messages[i] = redistest.Message(fmt.Sprint("m", i), belfry.Room([]string{"x", "y"}[i%2]))
		if i%3 == 0 {
			messages[i].ID = fmt.Sprint(i / 6)
		}
	}
	accepted := map[belfry.Offset]string{}
	for i, err := range publishTogether(t, la, messages...) {
		if !errors.Is(err, belfry.ErrDuplicate) {
			check(t, err)
			accepted[messages[i].Offset] = string(messages[i].Data)
		}
	}
	if len(accepted) != 50 {
		t.Errorf("%d messages have offsets of their own, want 50", len(accepted))
	}
	if n := server.Must("XLEN", "belfry:{0}:log"); n != ":1" {
		t.Errorf("the log has %s entries, want 1", n)
	}
	if got := a.Got(); len(got) != 50 {
		t.Errorf("%d messages came: %v", len(got), got)
	}
	begin := linkOf(la).incarnation.Load().offset(0)
	check(t, la.(belfry.Log).Replay(t.Context(), "/", begin, func(m *belfry.Message) error {
		if accepted[m.Offset] != string(m.Data) {
			t.Errorf("%s is %s in the log, its publisher has %s there", m.Offset, m.Data, accepted[m.Offset])
		}
		return nil
	}))
}

// TestIDsExpire: an id is a key that ends.
func TestIDsExpire(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	a, la := attach(t, open(t, Options{URL: server.URL(), IDs: IDs{Window: 2 * time.Second}}), "a")
	m := func() *belfry.Message { m := redistest.Message("m", "x"); m.ID = "id"; return m }
	redistest.Publish(t, la, m())
	if err := la.Publish(t.Context(), m()); !errors.Is(err, belfry.ErrDuplicate) {
		t.Errorf("at once: %v, want ErrDuplicate", err)
	}
	<-time.After(2200 * time.Millisecond)
	redistest.Publish(t, la, m())
	if got := a.Got(); len(got) != 2 {
		t.Errorf("it came %d times, want 2", len(got))
	}
}

// TestBodies: bodies that are no batch are themselves, batches are taken apart, and
// what is malformed is refused.
func TestBodies(t *testing.T) {
	one, two := encodeMessage(redistest.Message("one"), "a", 1), encodeMessage(redistest.Message("two"), "a", 2)
	for name, all := range map[string][][]byte{"one": {one}, "two": {one, two}, "a foreign one": {one, {9, 9, 9}}} {
		if got, err := bodiesOf(batchOf(all...)); err != nil || !slices.EqualFunc(got, all, bytes.Equal) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if got, err := bodiesOf(one); err != nil || len(got) != 1 || !bytes.Equal(got[0], one) {
		t.Errorf("a message: %q, %v", got, err)
	}
	for name, body := range map[string][]byte{
		"nothing": batchOf(), "half a length": append(batchOf(one), 0, 0), "past the end": append(batchOf(one), 0, 0, 0, 3, 1, 1),
		"too short": batchOf([]byte{1}), "far past the end": append(batchOf(), 0xff, 0xff, 0xff, 0xff, 1, 1),
	} {
		if got, err := bodiesOf(body); !errors.Is(err, errBody) {
			t.Errorf("%s: %q, %v, want errBody", name, got, err)
		}
	}
}

func batchOf(bodies ...[]byte) []byte { return encodeBatch(bodies) }

func FuzzBodies(f *testing.F) {
	one := encodeMessage(redistest.Message("one"), "a", 1)
	f.Add(one)
	f.Add(batchOf(one, one))
	f.Add(append(batchOf(one), 0, 0, 0, 9))
	f.Fuzz(func(t *testing.T, body []byte) {
		all, err := bodiesOf(body)
		if err != nil {
			return
		}
		if again := batchOf(all...); len(all) > 1 && !bytes.Equal(again, body) {
			t.Errorf("%q is %q again", body, again)
		}
	})
}

// TestForeignEntries: entries of the log that are not ours cost no more than their
// own number.
func TestForeignEntries(t *testing.T) {
	pair := func(field, value string) rueidis.XRangeFieldValue {
		return rueidis.XRangeFieldValue{Field: field, Value: value}
	}
	for name, e := range map[string]rueidis.XRangeSlice{
		"no id":                {ID: "x", FieldValues: []rueidis.XRangeFieldValue{pair("m", "\x01\x01")}},
		"more than its number": {ID: "1-1", FieldValues: []rueidis.XRangeFieldValue{pair("m", "\x01\x01"), pair("m", "\x01\x01")}},
	} {
		if all, err := entriesOf(e); err == nil || len(all) > 0 {
			t.Errorf("%s: %v, %v", name, all, err)
		}
	}
	for name, fields := range map[string][]rueidis.XRangeFieldValue{
		"a broken batch": {pair("c", "all"), pair("m", "\x01\x07\x00")}, "nothing of ours": {pair("what", "ever")}, "nothing": nil,
	} {
		if all, err := entriesOf(rueidis.XRangeSlice{ID: "5-1", FieldValues: fields}); err != nil || len(all) != 1 || all[0].seq != 5 || all[0].body != nil {
			t.Errorf("%s: %v, %v, want one message that cannot be read", name, all, err)
		}
	}
	all, err := entriesOf(rueidis.XRangeSlice{ID: "7-9", FieldValues: []rueidis.XRangeFieldValue{
		pair("c", "x"), pair("new", "?"), pair("m", "\x01\x01"), pair("c", "y"), pair("m", string(batchOf([]byte("aa"), []byte("bb")))),
	}})
	if err != nil || len(all) != 3 || all[0].seq != 5 || all[0].channel != "x" || all[2].seq != 7 || all[2].channel != "y" || string(all[2].body) != "bb" {
		t.Errorf("an entry of a newer node: %v, %v", all, err)
	}
}
