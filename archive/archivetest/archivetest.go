// Package archivetest is the suite that each archive.Store passes.
package archivetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/archive"
)

// Run runs the suite. open returns a Store that is empty, and is closed with the test;
// again returns another of the same data, as another process has it.
func Run(t *testing.T, open func(t *testing.T) (store archive.Store, again func() archive.Store)) {
	for name, test := range map[string]func(context.Context, *testing.T, archive.Store, func() archive.Store){
		"KeepsWhatItGets":     keepsWhatItGets,
		"AppendIsIdempotent":  appendIsIdempotent,
		"TheFirstStays":       theFirstStays,
		"AnIDHasOneEntry":     anIDHasOneEntry,
		"TwoWriters":          twoWriters,
		"PagesInBothOrders":   pagesInBothOrders,
		"PagesWithinBounds":   pagesWithinBounds,
		"RoomsAreApart":       roomsAreApart,
		"WrongQueries":        wrongQueries,
		"ManyTimes":           manyTimes,
		"EndsWithItsContext":  endsWithItsContext,
		"AllOrNothing":        allOrNothing,
		"OpenedAgain":         openedAgain,
		"Surveys":             surveys,
		"TendsWithoutLosing":  tendsWithoutLosing,
		"EmptyAppendIsNoFail": emptyAppend,
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			store, again := open(t)
			test(ctx, t, store, again)
		})
	}
}

// start is when the entries of tests begin: recent, since old ones may be dropped, and
// not so near to midnight that a test's entries are of two days by chance.
var start = sync.OnceValue(func() time.Time {
	return time.Now().UTC().Add(-24 * time.Hour).Truncate(24 * time.Hour).Add(time.Hour)
})

// Entry makes the n-th entry of a room, a second after the one before.
func Entry(room belfry.Room, n int) archive.Entry {
	return archive.Entry{
		ID: fmt.Sprintf("%s-%06d", room, n), Namespace: "/", Room: room, Event: "chat",
		Args: json.RawMessage(fmt.Sprintf(`[{"text":"message %d","n":%d}]`, n, n)),
		Text: fmt.Sprintf("message %d", n), User: "ada", Socket: "socket-1", Key: string(room),
		Time: start().Add(time.Duration(n) * time.Second), Offset: belfry.Offset(fmt.Sprintf("epoch-%d", n)),
	}
}

// Entries makes entries from one number to another, exclusive.
func Entries(room belfry.Room, from, to int) []archive.Entry {
	var all []archive.Entry
	for n := from; n < to; n++ {
		all = append(all, Entry(room, n))
	}
	return all
}

func mustAppend(ctx context.Context, t *testing.T, s archive.Store, entries ...archive.Entry) {
	t.Helper()
	if err := s.Append(ctx, entries); err != nil {
		t.Fatal(err)
	}
}

func mustPage(ctx context.Context, t *testing.T, s archive.Store, q archive.Query) []archive.Entry {
	t.Helper()
	entries, err := s.Page(ctx, q)
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// All reads a room, page by page, the oldest first.
func All(ctx context.Context, t testing.TB, s archive.Store, room belfry.Room) []archive.Entry {
	t.Helper()
	var all []archive.Entry
	q := archive.Query{Room: room, Oldest: true, Limit: archive.MaxLimit}
	for {
		page, err := s.Page(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
		q.After = page[len(page)-1].Position()
	}
}

func same(a, b archive.Entry) bool {
	args := bytes.Equal(a.Args, b.Args)
	times := a.Time.Equal(b.Time)
	a.Args, b.Args = nil, nil
	a.Time, b.Time = time.Time{}, time.Time{}
	return args && times && fmt.Sprintf("%#v", a) == fmt.Sprintf("%#v", b)
}

func compare(t *testing.T, got, want []archive.Entry) {
	t.Helper()
	if !slices.EqualFunc(got, want, same) {
		t.Errorf("got %d entries %s\nwant %d %s", len(got), ids(got), len(want), ids(want))
		for i := range min(len(got), len(want)) {
			if !same(got[i], want[i]) {
				t.Errorf("the first that differs is %+v\nwant %+v", got[i], want[i])
				break
			}
		}
	}
}

func ids(entries []archive.Entry) string {
	var all []string
	for _, e := range entries {
		all = append(all, e.ID)
	}
	if len(all) > 20 {
		return strings.Join(all[:10], " ") + " … " + strings.Join(all[len(all)-10:], " ")
	}
	return strings.Join(all, " ")
}

func keepsWhatItGets(ctx context.Context, t *testing.T, s archive.Store, _ func() archive.Store) {
	plain := archive.Entry{ID: "1", Namespace: "/", Room: "r", Event: "e", Args: json.RawMessage("[]"), Time: start()}
	odd := archive.Entry{
		ID: "ü\t\"'\\;--%", Namespace: "/ä", Room: "r'); DROP TABLE messages; --\x01\n", Event: "✓ \\N \x7f",
		Args: json.RawMessage(` [ 1.0, 1e400, "\u0000\ud800", {"b":1,"a":2,"a":3}, null ] `)[1:], Text: "\\.\r\n🎈", User: "{}",
		Socket: " ", Key: "NULL", Time: start().Add(123456 * time.Microsecond), Offset: "\\x",
	}
	large := Entry("r", 7)
	large.Args = json.RawMessage(`["` + strings.Repeat("ö", 300_000) + `"]`)
	mustAppend(ctx, t, s, plain, odd, large)
	compare(t, mustPage(ctx, t, s, archive.Query{Room: "r"}), []archive.Entry{large, plain})
	compare(t, mustPage(ctx, t, s, archive.Query{Namespace: odd.Namespace, Room: odd.Room}), []archive.Entry{odd})
}

func appendIsIdempotent(ctx context.Context, t *testing.T, s archive.Store, _ func() archive.Store) {
	want := Entries("r", 0, 30)
	mustAppend(ctx, t, s, want[:20]...)
	mustAppend(ctx, t, s, want[:20]...)
	mustAppend(ctx, t, s, want[10:]...)
	mustAppend(ctx, t, s, append(Entries("r", 29, 30), want[29], want[0], want[29])...)
	compare(t, All(ctx, t, s, "r"), want)
	twice := Entries("twice", 0, 3)
	mustAppend(ctx, t, s, append(slices.Clone(twice), twice...)...)
	compare(t, All(ctx, t, s, "twice"), twice)
}

func theFirstStays(ctx context.Context, t *testing.T, s archive.Store, _ func() archive.Store) {
	first, second := Entry("r", 1), Entry("r", 1)
	second.Args = json.RawMessage(`["other"]`)
	mustAppend(ctx, t, s, first)
	mustAppend(ctx, t, s, second)
	compare(t, All(ctx, t, s, "r"), []archive.Entry{first})
}

// anIDHasOneEntry: a message that was sent again has its id, and may have another time,
// also of another day.
func anIDHasOneEntry(ctx context.Context, t *testing.T, s archive.Store, _ func() archive.Store) {
	var want []archive.Entry
	for i, at := range []time.Duration{0, 23*time.Hour - 2*time.Second} { // the second before midnight
		first := Entry("r", i)
		first.Time = start().Add(at)
		want = append(want, first)
		again := first
		again.Time = first.Time.Add(3 * time.Second)
		mustAppend(ctx, t, s, first, Entry("other", 2*i))
		mustAppend(ctx, t, s, again, Entry("other", 2*i+1)) // alone, and with what is new
		later := first
		later.Time = first.Time.Add(4 * time.Second)
		mustAppend(ctx, t, s, again, later)
	}
	compare(t, All(ctx, t, s, "r"), want)
	compare(t, All(ctx, t, s, "other"), Entries("other", 0, 4))
	one, two := Entry("both", 1), Entry("both", 1)
	one.Time, two.Time = start().Add(23*time.Hour-time.Second), start().Add(23*time.Hour+time.Second)
	mustAppend(ctx, t, s, two, one)
	if got := All(ctx, t, s, "both"); len(got) != 1 {
		t.Errorf("%d entries of one message in one batch", len(got))
	}
}

// twoWriters is what happens when an archiver is taken for dead and is not.
func twoWriters(ctx context.Context, t *testing.T, s archive.Store, again func() archive.Store) {
	want := Entries("r", 0, 2000)
	var all sync.WaitGroup
	for i, store := range []archive.Store{s, again(), again()} {
		all.Go(func() {
			mine := slices.Clone(want)
			if i == 1 {
				slices.Reverse(mine)
			}
			for batch := range slices.Chunk(mine, 170+i) {
				for err := store.Append(ctx, batch); err != nil; err = store.Append(ctx, batch) {
					var refused *archive.RefusedError
					if errors.As(err, &refused) || ctx.Err() != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	all.Wait()
	compare(t, All(ctx, t, s, "r"), want)
}

func pagesInBothOrders(ctx context.Context, t *testing.T, s archive.Store, _ func() archive.Store) {
	want := Entries("r", 0, 120)
	for i := range want[:60] { // several at one time: the id decides
		want[i].Time = want[0].Time
	}
	shuffled := slices.Clone(want)
	slices.Reverse(shuffled[20:90])
	mustAppend(ctx, t, s, shuffled...)
	compare(t, All(ctx, t, s, "r"), want)

	var got []archive.Entry
	for q := (archive.Query{Room: "r", Limit: 7}); ; {
		page := mustPage(ctx, t, s, q)
		if len(page) > 7 {
			t.Fatalf("%d entries on a page of 7", len(page))
		}
		if len(page) == 0 {
			break
		}
		got = append(got, page...)
		q.Before = page[len(page)-1].Position()
	}
	slices.Reverse(got)
	compare(t, got, want)
	if n := len(mustPage(ctx, t, s, archive.Query{Room: "r"})); n != archive.DefaultLimit {
		t.Errorf("%d entries without a limit, want %d", n, archive.DefaultLimit)
	}
}

func pagesWithinBounds(ctx context.Context, t *testing.T, s archive.Store, _ func() archive.Store) {
	all := Entries("r", 0, 10)
	mustAppend(ctx, t, s, all...)
	q := archive.Query{Room: "r", After: all[2].Position(), Before: all[6].Position(), Oldest: true}
	compare(t, mustPage(ctx, t, s, q), all[3:6])
	q.Oldest = false
	compare(t, mustPage(ctx, t, s, q), []archive.Entry{all[5], all[4], all[3]})
	q.Limit = 1
	compare(t, mustPage(ctx, t, s, q), all[5:6])
	q = archive.Query{Room: "r", After: all[9].Position()}
	compare(t, mustPage(ctx, t, s, q), nil)
	q = archive.Query{Room: "r", Before: archive.Position{Time: all[1].Time}} // a time alone
	compare(t, mustPage(ctx, t, s, q), all[:1])
}

func roomsAreApart(ctx context.Context, t *testing.T, s archive.Store, _ func() archive.Store) {
	a, b, c := Entry("a", 1), Entry("b", 2), Entry("a", 3)
	c.Namespace = "/other"
	mustAppend(ctx, t, s, a, b, c)
	compare(t, mustPage(ctx, t, s, archive.Query{Room: "a"}), []archive.Entry{a})
	compare(t, mustPage(ctx, t, s, archive.Query{Namespace: "/", Room: "b"}), []archive.Entry{b})
	compare(t, mustPage(ctx, t, s, archive.Query{Namespace: "/other", Room: "a"}), []archive.Entry{c})
	compare(t, mustPage(ctx, t, s, archive.Query{Room: "nobody"}), nil)
}

func wrongQueries(ctx context.Context, t *testing.T, s archive.Store, _ func() archive.Store) {
	for _, q := range []archive.Query{{}, {Room: "r", Limit: -1}, {Room: "r", Limit: archive.MaxLimit + 1}} {
		if _, err := s.Page(ctx, q); !errors.Is(err, archive.ErrQuery) {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

// manyTimes has entries of other days and months, in one batch.
func manyTimes(ctx context.Context, t *testing.T, s archive.Store, _ func() archive.Store) {
	var want []archive.Entry
	for n := range 60 {
		e := Entry("r", n)
		e.Time = start().AddDate(0, 0, n-61)
		want = append(want, e)
	}
	shuffled := slices.Clone(want)
	slices.Reverse(shuffled)
	mustAppend(ctx, t, s, shuffled...)
	mustAppend(ctx, t, s, shuffled...)
	compare(t, All(ctx, t, s, "r"), want)
}

func endsWithItsContext(_ context.Context, t *testing.T, s archive.Store, _ func() archive.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := s.Append(ctx, Entries("r", 0, 1))
	var refused *archive.RefusedError
	if err == nil || errors.As(err, &refused) {
		t.Errorf("append: %v", err)
	}
	if _, err := s.Page(ctx, archive.Query{Room: "r"}); err == nil {
		t.Error("page: no error")
	}
}

// allOrNothing gives what no database keeps in a batch, if this one refuses anything.
func allOrNothing(ctx context.Context, t *testing.T, s archive.Store, _ func() archive.Store) {
	batch := Entries("r", 0, 3)
	batch[1].Args = json.RawMessage("[\"\xff\"]")
	err := s.Append(ctx, batch)
	if err == nil {
		return // it keeps everything
	}
	var refused *archive.RefusedError
	if !errors.As(err, &refused) {
		t.Fatalf("want a refusal: %v", err)
	}
	compare(t, All(ctx, t, s, "r"), nil)
	mustAppend(ctx, t, s, batch[0], batch[2])
	compare(t, All(ctx, t, s, "r"), []archive.Entry{batch[0], batch[2]})
}

func openedAgain(ctx context.Context, t *testing.T, s archive.Store, again func() archive.Store) {
	want := Entries("r", 0, 5)
	mustAppend(ctx, t, s, want[:3]...)
	other := again()
	mustAppend(ctx, t, other, want[2:]...)
	compare(t, All(ctx, t, s, "r"), want)
	compare(t, All(ctx, t, other, "r"), want)
}

func surveys(ctx context.Context, t *testing.T, s archive.Store, _ func() archive.Store) {
	mustAppend(ctx, t, s, Entries("r", 0, 1000)...)
	v, err := s.(archive.Surveyor).Survey(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if v.Bytes < 100_000 || !v.Estimated && v.Rows != 1000 {
		t.Errorf("%+v", v)
	}
}

func tendsWithoutLosing(ctx context.Context, t *testing.T, s archive.Store, again func() archive.Store) {
	want := Entries("r", 0, 5)
	mustAppend(ctx, t, s, want...)
	var all sync.WaitGroup
	for _, store := range []archive.Store{s, again()} {
		all.Go(func() {
			if err := store.(archive.Tender).Tend(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	compare(t, All(ctx, t, s, "r"), want)
}

func emptyAppend(ctx context.Context, t *testing.T, s archive.Store, _ func() archive.Store) {
	mustAppend(ctx, t, s)
}
