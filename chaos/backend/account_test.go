package backend

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// whole is an account of two keys with three events each, where nothing is wrong.
func whole() (s sent, lines []Line, effects []Order) {
	s.Acked = make(map[Order]bool)
	s.Retries = 1
	for i := range 6 {
		o := Order{Key: i % 2, Number: i / 2}
		s.Acked[o] = true
		effects = append(effects, o)
		begun := Line{Kind: Begun, At: int64(10 * i), Consumer: "a", Entry: o.String(), Tries: 1, Order: o}
		ended := begun
		ended.Kind, ended.At = Ended, begun.At+5
		lines = append(lines, begun, ended)
	}
	return s, lines, effects
}

// TestSettleFinds: each way in which an account can be wrong leaves its trace, and
// no other.
func TestSettleFinds(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(s *sent, lines *[]Line, effects *[]Order)
		want  Report
	}{
		"nothing":   {func(*sent, *[]Line, *[]Order) {}, Report{}},
		"lost":      {func(_ *sent, _ *[]Line, e *[]Order) { *e = slices.Delete(*e, 2, 3) }, Report{Lost: 1}},
		"doubled":   {func(_ *sent, _ *[]Line, e *[]Order) { *e = append(*e, Order{Key: 1, Number: 2}) }, Report{Doubled: 1}},
		"reordered": {func(_ *sent, _ *[]Line, e *[]Order) { (*e)[0], (*e)[2] = (*e)[2], (*e)[0] }, Report{Reordered: 1}},
		"unknown":   {func(_ *sent, _ *[]Line, e *[]Order) { *e = append(*e, Order{Key: 1, Number: 9}) }, Report{Unknown: 1}},
		"shared": {func(_ *sent, l *[]Line, _ *[]Order) {
			again := (*l)[10]
			again.Consumer, again.At = "b", again.At+100
			*l = append(*l, again)
		}, Report{Shared: 1, Again: 1}},
		"shared by those of one name": {func(_ *sent, l *[]Line, _ *[]Order) {
			again := (*l)[10]
			again.At += 100
			*l = append(*l, again)
		}, Report{Shared: 1, Again: 1}},
		"reclaimed": {func(_ *sent, l *[]Line, _ *[]Order) {
			again := (*l)[10]
			again.Consumer, again.Tries, again.At = "b", 2, again.At+100
			*l = append(*l, again)
		}, Report{Again: 1}},
		"overlaps": {func(_ *sent, l *[]Line, _ *[]Order) { (*l)[1].At = (*l)[4].At + 1 }, Report{Overlaps: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			s, lines, effects := whole()
			c.spoil(&s, &lines, &effects)
			got := settle(s, lines, effects, 3)
			c.want.Acked, c.want.Retries, c.want.Handled = 6, 1, 6+c.want.Again
			got.Examples = nil
			if got.String() != c.want.String() {
				t.Errorf("got  %v\nwant %v", &got, &c.want)
			}
		})
	}
}

// TestJudge: what must not be is a fault, and so is a run without any repetition.
func TestJudge(t *testing.T) {
	good := Report{Acked: 10, Retries: 1, Again: 1}
	for name, spoil := range map[string]func(*Report){
		"never acked": func(r *Report) { r.Acked-- },
		"lost":        func(r *Report) { r.Lost++ },
		"doubled":     func(r *Report) { r.Doubled++ },
		"reordered":   func(r *Report) { r.Reordered++ },
		"unknown":     func(r *Report) { r.Unknown++ },
		"shared":      func(r *Report) { r.Shared++ },
		"overlaps":    func(r *Report) { r.Overlaps++ },
		"letters":     func(r *Report) { r.Letters++ },
		"needless":    func(r *Report) { r.Needless++ },
		"forged":      func(r *Report) { r.Forged++ },
		"too calm":    func(r *Report) { r.Again = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			r := good
			spoil(&r)
			for _, s := range All() {
				if len(s.Judge(good, 10)) != 0 || len(s.Judge(r, 10)) != 1 {
					t.Errorf("%s: %q and %q", s.Name, s.Judge(good, 10), s.Judge(r, 10))
				}
			}
		})
	}
}

func TestUnseenNamesEachTrace(t *testing.T) {
	for _, s := range All() {
		if s.Control == "" || len(s.Traces) == 0 || len(s.Unseen(Report{})) != len(s.Traces) {
			t.Errorf("%s has no control that can fail", s.Name)
		}
		if found := s.Unseen(Report{Lost: 1, Doubled: 1, Reordered: 1}); len(found) != 0 {
			t.Errorf("%s: %q", s.Name, found)
		}
	}
}

func TestLinesAreReadAsWritten(t *testing.T) {
	_, want, _ := whole()
	file := filepath.Join(t.TempDir(), "log")
	var text string
	for _, l := range want {
		text += l.String() + "\n"
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := readLines([]string{file, file + "-of-nobody"})
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	if err := os.WriteFile(file, []byte("begun x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readLines([]string{file}); err == nil {
		t.Error("a broken line is no error")
	}
}
