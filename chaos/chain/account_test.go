package chain

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/seed-09a96375/belfry/chaos/account"
	"github.com/seed-09a96375/belfry/source/kafka"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is two clients that send three events each, and two keys of the producer with
// as many, all in their rows, in order.
func world() (p account.Plan, s account.Sent, offsets map[name]string, table []row) {
	p = account.Plan{Members: [][]int{{0}, {1}}, Streams: []int{0, 1, 0, 1}}
	s, offsets = make(account.Sent, len(p.Streams)), make(map[name]string)
	for number := range 3 {
		for stream, room := range p.Streams {
			s[stream] = append(s[stream], account.Message{})
			w := row{room: roomName(room)}
			w.message = message{Stream: stream, Number: number}
			if stream < len(p.Members) { // an event of a client has a place in the log
				w.message.ID = strings.Join([]string{digit(stream), digit(number)}, "-")
				w.id, w.offset = "ada:message:"+w.message.ID, "e-1"+digit(stream)+digit(number)
				offsets[name{stream, number}] = numberOf(w.offset)
			} else {
				w.message.ID = "feed-" + digit(stream) + "-" + digit(number)
				w.id = w.message.ID
			}
			table = append(table, w)
		}
	}
	return p, s, offsets, table
}

func digit(n int) string { return string(rune('0' + n)) }

// TestRowsFinds: each way in which the table can be wrong leaves its trace, and no
// other.
func TestRowsFinds(t *testing.T) {
	whole := Rows{All: 12, IDs: 12}
	for what, c := range map[string]struct {
		spoil func(s account.Sent, table *[]row)
		want  Rows
	}{
		"nothing":        {func(account.Sent, *[]row) {}, whole},
		"lost":           {func(_ account.Sent, table *[]row) { *table = slices.Delete(*table, 4, 5) }, Rows{All: 11, IDs: 11, Missing: 1}},
		"doubled":        {func(_ account.Sent, table *[]row) { *table = slices.Insert(*table, 5, (*table)[4]) }, Rows{All: 13, IDs: 12, Doubled: 1}},
		"doubled, later": {func(_ account.Sent, table *[]row) { *table = append(*table, (*table)[0]) }, Rows{All: 13, IDs: 12, Doubled: 1}},
		"tripled":        {func(_ account.Sent, table *[]row) { *table = append(*table, (*table)[0], (*table)[0]) }, Rows{All: 14, IDs: 12, Doubled: 1}},
		"doubled under another id": {func(_ account.Sent, table *[]row) {
			again := (*table)[3]
			again.id = "another:" + again.id
			*table = append(*table, again)
		}, Rows{All: 13, IDs: 13, Doubled: 1}},
		"swapped": {func(_ account.Sent, table *[]row) { (*table)[4], (*table)[8] = (*table)[8], (*table)[4] }, Rows{All: 12, IDs: 12, Reordered: 1}},
		"never sent": {func(_ account.Sent, table *[]row) {
			more := (*table)[8]
			more.message.Number, more.message.ID, more.id = 3, "0-3", "ada:message:0-3"
			*table = append(*table, more)
		}, Rows{All: 13, IDs: 13, Unknown: 1}},
		"of nobody": {func(_ account.Sent, table *[]row) {
			more := (*table)[8]
			more.message.Stream = 4
			*table = append(*table, more)
		}, Rows{All: 13, IDs: 12, Unknown: 1}},
		"with the id of another": {func(_ account.Sent, table *[]row) { (*table)[4].id = (*table)[5].id }, Rows{All: 12, IDs: 11, Unknown: 1, Missing: 1}},
		"refused":                {func(s account.Sent, _ *[]row) { s[1][2].Outcome = account.Refused }, Rows{All: 12, IDs: 12, Unknown: 1}},
		"refused, and no row": {func(s account.Sent, table *[]row) {
			s[1][2].Outcome = account.Refused
			*table = slices.Delete(*table, 9, 10)
		}, Rows{All: 11, IDs: 11}},
		"perhaps sent": {func(s account.Sent, _ *[]row) { s[1][2].Outcome = account.Maybe }, whole},
		"perhaps sent, and no row": {func(s account.Sent, table *[]row) {
			s[1][2].Outcome = account.Maybe
			*table = slices.Delete(*table, 9, 10)
		}, Rows{All: 11, IDs: 11}},
		"perhaps sent, and two rows": {func(s account.Sent, table *[]row) {
			s[1][2].Outcome = account.Maybe
			*table = append(*table, (*table)[9])
		}, Rows{All: 13, IDs: 12, Doubled: 1}},
		"in another room":                    {func(_ account.Sent, table *[]row) { (*table)[2].room = roomName(1) }, Rows{All: 12, IDs: 12, Elsewhere: 1}},
		"at the same place in another epoch": {func(_ account.Sent, table *[]row) { (*table)[0].offset = "f-100" }, whole},
		"at another place":                   {func(_ account.Sent, table *[]row) { (*table)[0].offset = "e-7" }, Rows{All: 12, IDs: 12, Elsewhere: 1}},
	} {
		t.Run(what, func(t *testing.T) {
			p, s, offsets, table := world()
			c.spoil(s, &table)
			got := settleRows(p, s, offsets, table)
			if faulty := got.Missing+got.Doubled+got.Unknown+got.Reordered+got.Elsewhere > 0; faulty != (len(got.Examples) > 0) {
				t.Errorf("examples %q", got.Examples)
			}
			got.Examples = nil
			if want := (&Report{Rows: c.want}).String(); (&Report{Rows: got}).String() != want {
				t.Errorf("got  %v\nwant %v", (&Report{Rows: got}).String(), want)
			}
		})
	}
}

func TestLettersFind(t *testing.T) {
	a, b := place{feedTopic, 1, 7}, place{feedTopic, 2, 7}
	poison := map[place]bool{a: true}
	for what, c := range map[string]struct {
		letters []letter
		want    Report
	}{
		"both groups":        {[]letter{{a, nodeGroup}, {a, archiveGroup}}, Report{Letters: 2}},
		"one group":          {[]letter{{a, nodeGroup}}, Report{Letters: 1, Unsaid: 1}},
		"nobody":             {nil, Report{Unsaid: 2}},
		"a good one":         {[]letter{{a, nodeGroup}, {a, archiveGroup}, {b, archiveGroup}}, Report{Letters: 3, Odd: 1}},
		"of another group":   {[]letter{{a, nodeGroup}, {a, "other"}}, Report{Letters: 2, Unsaid: 1}},
		"of another's place": {[]letter{{a, nodeGroup}, {b, archiveGroup}}, Report{Letters: 2, Unsaid: 1, Odd: 1}},
	} {
		got, letters := Report{}, make(map[letter]bool)
		for _, l := range c.letters {
			letters[l] = true
		}
		got.settleLetters(poison, letters)
		c.want.Poison = 1
		if got.String() != c.want.String() {
			t.Errorf("%s: got  %v\nwant %v", what, got.String(), c.want.String())
		}
	}
}

// TestLettersAreReadOnce: a letter that is there twice, after a crash, is one.
func TestLettersAreReadOnce(t *testing.T) {
	rec := &kgo.Record{Headers: []kgo.RecordHeader{
		{Key: kafka.HeaderTopic, Value: []byte(feedTopic)},
		{Key: kafka.HeaderGroup, Value: []byte(nodeGroup)},
		{Key: kafka.HeaderPartition, Value: []byte("3")},
		{Key: kafka.HeaderOffset, Value: []byte("12")},
	}}
	got, err := lettersOf([]*kgo.Record{rec, rec})
	if err != nil || len(got) != 1 || !got[letter{place{feedTopic, 3, 12}, nodeGroup}] {
		t.Errorf("%v, %v", got, err)
	}
	for i := 2; i < 4; i++ {
		odd := &kgo.Record{Headers: slices.Clone(rec.Headers)}
		odd.Headers[i].Value = []byte("x")
		if _, err := lettersOf([]*kgo.Record{odd}); err == nil {
			t.Errorf("a letter whose %s is x was read", odd.Headers[i].Key)
		}
	}
}

func TestTwiceCountsRepetitions(t *testing.T) {
	var records []*kgo.Record
	for _, id := range []string{"a", "b", "a", "c", "a"} {
		records = append(records, &kgo.Record{Headers: []kgo.RecordHeader{{Key: "event"}, {Key: "id", Value: []byte(id)}}})
	}
	if n := twice(records); n != 2 {
		t.Errorf("%d records were there already, want 2", n)
	}
}

// TestLedger: what a client has not heard of may be anywhere.
func TestLedger(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	log := "s 1 0 0\ns 1 1 0\nk 2 0 0\ns 3 0 1\na 4 0 1\nm 5 0 1 0 e-1\nm 5 1 1 0 f-1\nm 6 0 0 0 e-2\nm 6 1 0 0 e-3\nm 7 1 3 0 -\n"
	if err := os.WriteFile(file, []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := readLedger(file, 4)
	if err != nil {
		t.Fatal(err)
	}
	if s := l.sent; len(s[0]) != 2 || s[0][0].Outcome != account.Accepted || s[0][1].Outcome != account.Maybe || s[0][1].Begun != 3 || len(s[1]) != 1 {
		t.Errorf("sent %+v", s)
	}
	if l.repeated != 1 || len(l.offsets) != 2 || l.offsets[name{1, 0}] != "1" || l.offsets[name{0, 0}] != "2 and 3" {
		t.Errorf("%d repeated, offsets %v", l.repeated, l.offsets)
	}
	for _, bad := range []string{"k 1 0 0\n", "s 1 9 0\n", "s 1 0 3\n"} {
		if err := os.WriteFile(file, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readLedger(file, 4); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

// good is a report with nothing wrong in it, and what was asked for.
func good() (Report, Options) {
	o := Options{Clients: 10, Messages: 600, Hasty: true}
	r := Report{Repeated: 1, Poison: 1}
	r.Deliveries.Accepted, r.Deliveries.Drops = o.Wanted(), o.Clients
	return r, o
}

// TestJudge: what must not be is a fault.
func TestJudge(t *testing.T) {
	for what, spoil := range map[string]func(*Report){
		"too few":        func(r *Report) { r.Deliveries.Accepted-- },
		"maybe":          func(r *Report) { r.Deliveries.Maybe++ },
		"refused":        func(r *Report) { r.Deliveries.Refused++ },
		"lost":           func(r *Report) { r.Deliveries.Lost++ },
		"duplicated":     func(r *Report) { r.Deliveries.Duplicated++ },
		"reordered":      func(r *Report) { r.Deliveries.Reordered++ },
		"disagreed":      func(r *Report) { r.Deliveries.Disagreed++ },
		"misrouted":      func(r *Report) { r.Deliveries.Misrouted++ },
		"new identity":   func(r *Report) { r.Deliveries.NewIdentity++ },
		"denied":         func(r *Report) { r.Deliveries.Denied++ },
		"absent":         func(r *Report) { r.Deliveries.Absent++ },
		"odd":            func(r *Report) { r.Deliveries.Odd++ },
		"strangers":      func(r *Report) { r.Deliveries.NotRecovered = 2 },
		"no row":         func(r *Report) { r.Rows.Missing++ },
		"two rows":       func(r *Report) { r.Rows.Doubled++ },
		"unknown rows":   func(r *Report) { r.Rows.Unknown++ },
		"rows reordered": func(r *Report) { r.Rows.Reordered++ },
		"rows elsewhere": func(r *Report) { r.Rows.Elsewhere++ },
		"limbo":          func(r *Report) { r.Limbo++ },
		"unsaid":         func(r *Report) { r.Unsaid++ },
		"odd letters":    func(r *Report) { r.Odd++ },
		"no drops":       func(r *Report) { r.Deliveries.Drops = 0 },
		"no repetition":  func(r *Report) { r.Repeated = 0 },
		"no poison":      func(r *Report) { r.Poison = 0 },
	} {
		r, o := good()
		for _, s := range All() {
			if faults := s.Judge(r, o); len(faults) != 0 {
				t.Errorf("a good report: %q", faults)
			}
			spoil(&r)
			if faults := s.Judge(r, o); len(faults) != 1 {
				t.Errorf("%s: %q", what, faults)
			}
		}
	}
}

func TestUnseenNamesEachTrace(t *testing.T) {
	var all Report
	all.Deliveries = account.Report{Lost: 1, Duplicated: 1, Reordered: 1}
	all.Rows = Rows{Missing: 1, Doubled: 1, Reordered: 1}
	for _, s := range All() {
		if s.Control == "" || len(s.Traces) == 0 || len(s.Unseen(Report{})) != len(s.Traces) {
			t.Errorf("%s has no control that can fail", s.Name)
		}
		if found := s.Unseen(all); len(found) != 0 {
			t.Errorf("%s: %q", s.Name, found)
		}
	}
}

// TestLayout: each client is in the room that it sends to, and rooms are not empty.
func TestLayout(t *testing.T) {
	l := lay(200, 1)
	members := make(map[int]int)
	for i, in := range l.Members {
		if l.Streams[i] != in[0] || len(in) == 2 && in[0] == in[1] {
			t.Errorf("client %d is in %v and sends to %d", i, in, l.Streams[i])
		}
		for _, room := range in {
			members[room]++
		}
	}
	for _, stream := range l.feed {
		if members[l.Streams[stream]] < 20 {
			t.Errorf("room %d has %d members", l.Streams[stream], members[l.Streams[stream]])
		}
	}
	if c := l.clients("t")[3]; c.Sends != "3" || c.Rooms[0] != "chat:3" || c.Auth["token"] != "t" || c.Transports[0] != "polling" {
		t.Errorf("%+v", c)
	}
}

// TestFeedEnds: a producer whose broker is away ends with its context, and what it was
// at may be anywhere.
func TestFeedEnds(t *testing.T) {
	f, err := newFeed("127.0.0.1:1", lay(10, 1), 1, false)
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if o := f.offer(ctx, f.layout.feed[0], 1); o != account.Maybe {
		t.Errorf("outcome %d", o)
	}
}
