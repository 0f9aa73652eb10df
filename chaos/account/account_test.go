package account

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// world is three clients, two rooms, two streams to the first and one to the
// second. Client 0 is in both rooms, client 1 in the first, client 2 in the
// second.
func world() (Plan, Sent) {
	p := Plan{Members: [][]int{{0, 1}, {0}, {1}}, Streams: []int{0, 0, 1}}
	s := make(Sent, len(p.Streams))
	for i := range s {
		for n := range int64(4) {
			s[i] = append(s[i], Message{Begun: 100 + 10*n})
		}
	}
	return p, s
}

// clean is a log in which nothing is wrong: client 0 is cut off and recovers
// with 2 and 3 of stream 2 replayed, which come before its c.
func clean() []string {
	return strings.Split(strings.TrimSpace(`
c 50 0 0 a
c 50 1 0 b
c 50 2 0 c
j 60 0
j 60 1
j 60 2
m 101 0 0 0
m 101 1 0 0
m 102 0 1 0
m 102 1 1 0
m 103 0 2 0
m 103 2 2 0
m 111 0 0 1
m 111 1 0 1
m 112 0 1 1
m 112 1 1 1
m 113 0 2 1
m 113 2 2 1
m 121 0 0 2
m 121 1 0 2
m 121 0 1 2
m 121 1 1 2
d 122 0 transport close
m 123 2 2 2
m 131 1 0 3
m 132 1 1 3
m 133 2 2 3
m 140 0 2 2
m 140 0 0 3
m 140 0 1 3
m 140 0 2 3
c 141 0 1 a
`), "\n")
}

func settle(t *testing.T, p Plan, s Sent, log []string) Report {
	t.Helper()
	b := NewBook(p, s)
	if err := Read(strings.NewReader(strings.Join(log, "\n")+"\n"), b.Enter); err != nil {
		t.Fatal(err)
	}
	return b.Settle()
}

func TestCleanLog(t *testing.T) {
	p, s := world()
	got := settle(t, p, s, clean())
	if !got.Clean() {
		t.Errorf("faults in a log that has none: %+v", got)
	}
	// 4 messages of 2 streams to 2 clients, 4 of 1 stream to 2 clients.
	if got.Expected != 24 || got.Received != 24 || got.Accepted != 12 {
		t.Errorf("%+v, want 24 deliveries of 12 messages", got)
	}
	if got.Drops != 1 || got.Recovered != 1 || got.NotRecovered != 0 || got.Unheard != 0 {
		t.Errorf("%+v, want one drop, recovered", got)
	}
	if got.Away != (Times{19, 19, 19}) {
		t.Errorf("away for %+v, want 19 ms", got.Away)
	}
}

func without(log []string, line string) []string {
	i := slices.Index(log, line)
	return slices.Delete(slices.Clone(log), i, i+1)
}

func swapped(log []string, a, b string) []string {
	log = slices.Clone(log)
	i, j := slices.Index(log, a), slices.Index(log, b)
	log[i], log[j] = log[j], log[i]
	return log
}

func after(log []string, line string, more ...string) []string {
	return slices.Insert(slices.Clone(log), slices.Index(log, line)+1, more...)
}

func replaced(log []string, line, with string) []string {
	log = slices.Clone(log)
	log[slices.Index(log, line)] = with
	return log
}

// TestTamperedLog: every way to spoil the clean log is found, by its name.
func TestTamperedLog(t *testing.T) {
	for _, c := range []struct {
		name string
		log  []string
		want Report
	}{
		{"a line taken out", without(clean(), "m 111 1 0 1"), Report{Lost: 1}},
		{"the last one taken out", without(clean(), "m 133 2 2 3"), Report{Lost: 1}},
		{"a replayed one taken out", without(clean(), "m 140 0 0 3"), Report{Lost: 1}},
		{"a line doubled", after(clean(), "m 111 1 0 1", "m 112 1 0 1"), Report{Duplicated: 1}},
		{"replayed although it came", after(clean(), "m 133 2 2 3", "m 140 0 0 2"), Report{Duplicated: 1}},
		{"two of a stream swapped", swapped(clean(), "m 113 2 2 1", "m 123 2 2 2"), Report{Reordered: 1, Disagreed: 1}},
		{"two of a room swapped", swapped(clean(), "m 101 1 0 0", "m 102 1 1 0"), Report{Disagreed: 1}},
		{"into a room that it is not in", after(clean(), "m 103 2 2 0", "m 103 1 2 0"), Report{Misrouted: 1}},
		{"never sent", after(clean(), "m 133 2 2 3", "m 134 2 2 4"), Report{Misrouted: 1}},
		{"no such stream", after(clean(), "m 133 2 2 3", "m 134 2 9 0"), Report{Misrouted: 1}},
		{"another id", replaced(clean(), "c 141 0 1 a", "c 141 0 1 b"), Report{NewIdentity: 1}},
		{"never came back", without(clean(), "c 141 0 1 a"), Report{Absent: 1}},
		{"refused", after(clean(), "d 122 0 transport close", "r 123 0 no"), Report{Denied: 1}},
		{"odd", after(clean(), "m 133 2 2 3", "x 133 2 what"), Report{Odd: 1}},
		{"no such client", after(clean(), "m 133 2 2 3", "j 133 3"), Report{Odd: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, s := world()
			got := settle(t, p, s, c.log)
			if faults(got) != faults(c.want) {
				t.Errorf("got %v, want %v", faults(got), faults(c.want))
			}
			if got.Clean() || len(got.Examples) == 0 {
				t.Errorf("clean %v, examples %q", got.Clean(), got.Examples)
			}
		})
	}
}

// faults are the counts that Clean looks at.
func faults(r Report) string {
	return fmt.Sprintf("lost %d duplicated %d reordered %d disagreed %d misrouted %d identity %d denied %d absent %d odd %d",
		r.Lost, r.Duplicated, r.Reordered, r.Disagreed, r.Misrouted, r.NewIdentity, r.Denied, r.Absent, r.Odd)
}

// TestTold: a client that is told begins anew. What it missed before is no loss,
// a hole before what it got is.
func TestTold(t *testing.T) {
	p, s := world()
	again := []string{"c 135 0 0 z", "j 136 0"}
	log := slices.Concat(clean()[:slices.Index(clean(), "m 140 0 2 2")], again)
	got := settle(t, p, s, log)
	if !got.Clean() || got.NotRecovered != 1 || got.Told != 4 {
		t.Errorf("%+v, want 4 told and nothing else", got)
	}
	got = settle(t, p, s, without(log, "m 111 0 0 1"))
	if got.Lost != 1 || got.Told != 4 {
		t.Errorf("%+v, want one lost in silence before the client was told", got)
	}
	s[2][3].Begun = 137 // after it has joined again
	if got = settle(t, p, s, log); got.Lost != 1 || got.Told != 3 {
		t.Errorf("%+v, want one lost in silence after the client has joined again", got)
	}
}

// TestMaybe: a message of unknown outcome may come, late too, but once.
func TestMaybe(t *testing.T) {
	p, s := world()
	s[2][1].Outcome = Maybe
	line := "m 113 2 2 1"
	for name, c := range map[string]struct {
		log  []string
		want Report
	}{
		"came":        {clean(), Report{}},
		"did not":     {without(without(clean(), line), "m 113 0 2 1"), Report{}},
		"came twice":  {after(clean(), line, "m 114 2 2 1"), Report{Duplicated: 1}},
		"late, to it": {swapped(clean(), line, "m 123 2 2 2"), Report{Disagreed: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := settle(t, p, s, c.log); faults(got) != faults(c.want) {
				t.Errorf("got %v, want %v", faults(got), faults(c.want))
			}
		})
	}
	s[2][1].Outcome = Refused
	if got := settle(t, p, s, clean()); got.Misrouted != 2 {
		t.Errorf("%+v: what was refused came to two clients", got)
	}
}

// TestUnheard: a client that had received nothing before it was cut off.
func TestUnheard(t *testing.T) {
	p, s := world()
	log := after(clean(), "j 60 2", "d 61 2 transport close")
	got := settle(t, p, s, after(log, "m 103 2 2 0", "c 104 2 1 c"))
	if !got.Clean() || got.Unheard != 1 || got.Recovered != 2 {
		t.Errorf("%+v, want one unheard of two recovered", got)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(strings.Join(clean(), "\n") + "\n")
	f.Add("m 1 0 0 99999999999\n")
	f.Add("c 1\n\nx 1 2 a b c d e f\n")
	f.Add("m 1 0 0 1")
	f.Fuzz(func(_ *testing.T, log string) {
		p, s := world()
		b := NewBook(p, s)
		_ = Read(strings.NewReader(log), b.Enter)
		b.Settle()
	})
}

// TestReadKnows the forms that only some clients write.
func TestReadKnows(t *testing.T) {
	want := map[string]Event{
		"m 1 2 3 4":     {Kind: Received, Time: 1, Client: 2, Stream: 3, Number: 4},
		"m 1 2 3 4 e-5": {Kind: Received, Time: 1, Client: 2, Stream: 3, Number: 4, Offset: "e-5"},
		"s 1 2 3":       {Kind: Offered, Time: 1, Client: 2, Stream: 2, Number: 3},
		"a 1 2 3":       {Kind: Repeated, Time: 1, Client: 2, Stream: 2, Number: 3},
		"k 1 2 3":       {Kind: Acked, Time: 1, Client: 2, Stream: 2, Number: 3},
		"x 1 2 a b c d": {Kind: Odd, Time: 1, Client: 2, Text: "a b c d"},
	}
	for line, event := range want {
		if err := Read(strings.NewReader(line+"\n"), func(e Event) {
			if e != event {
				t.Errorf("%q was read as %+v", line, e)
			}
		}); err != nil {
			t.Error(err)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	for _, line := range []string{"", "m", "m 1 2", "m a 0 0 0", "m 1 -1 0 0", "c 1 0 1", "j 1 0 0", "q 1 0", "mm 1 0 0 0", "k 1 0", "s 1 0 0 0", "m 1 0 0 0 a b"} {
		if err := Read(strings.NewReader(line+"\n"), func(Event) {}); err == nil {
			t.Errorf("%q was read", line)
		}
	}
	err := Read(strings.NewReader("m 1 0 0"), func(e Event) { t.Errorf("%+v was read of a line without an end", e) })
	if err != nil {
		t.Error(err)
	}
}
