package backend

import (
	"cmp"
	"fmt"
	"slices"
)

// Report is what became of the events of clients. Events are counted.
type Report struct {
	Acked   int `json:"acked"`   // told the client that it is stored
	Retries int `json:"retries"` // repetitions by clients, with the same id

	Lost      int `json:"lost"`      // acked, and never handled
	Doubled   int `json:"doubled"`   // took effect more than once
	Reordered int `json:"reordered"` // took effect after a later one of its key
	Unknown   int `json:"unknown"`   // took effect, and nobody has sent it
	Shared    int `json:"shared"`    // one delivery had two handlers
	Overlaps  int `json:"overlaps"`  // handled together with another of its key

	Handled int `json:"handled"` // handlers that have begun
	Again   int `json:"again"`   // of these: for an entry that was handled before, or begun
	Letters int `json:"letters"` // dead letters

	Needless int `json:"needless,omitempty"` // came again to a webhook, while all was well
	Forged   int `json:"forged,omitempty"`   // requests that a webhook could not verify

	Examples []string `json:"examples,omitempty"`
}

// examples are enough to see where to look.
const examples = 5

func (r *Report) note(count *int, format string, args ...any) {
	if *count++; *count <= examples {
		r.Examples = append(r.Examples, fmt.Sprintf(format, args...))
	}
}

// settle compares what clients were told, what consumers have begun, and what took
// effect, in the order in which it did.
func settle(s sent, lines []Line, effects []Order, wanted int) Report {
	r := Report{Acked: len(s.Acked), Retries: s.Retries}
	r.settleEffects(s, effects, wanted)
	r.settleDeliveries(lines)
	r.settleOverlaps(lines)
	return r
}

func (r *Report) settleEffects(s sent, effects []Order, wanted int) {
	times, last := make(map[Order]int), make(map[int]int)
	for _, o := range effects {
		times[o]++
		before, any := last[o.Key]
		switch {
		case o.Number < 0 || o.Number >= wanted:
			r.note(&r.Unknown, "%v took effect, and was never sent", o)
		case times[o] > 1:
			r.note(&r.Doubled, "%v took effect %d times", o, times[o])
		case any && o.Number < before:
			r.note(&r.Reordered, "%v took effect after %d", o, before)
		}
		last[o.Key] = max(before, o.Number)
	}
	for o := range s.Acked {
		if times[o] == 0 {
			r.note(&r.Lost, "%v was acked and took no effect", o)
		}
	}
}

// settleDeliveries: a delivery is an entry and how often it was delivered by then.
func (r *Report) settleDeliveries(lines []Line) {
	type delivery struct {
		entry string
		tries int
	}
	handlers, begun := make(map[delivery]string), make(map[string]bool)
	for _, l := range lines {
		if l.Kind != Begun {
			continue
		}
		r.Handled++
		if begun[l.Entry] {
			r.Again++
		}
		begun[l.Entry] = true
		d := delivery{l.Entry, l.Tries}
		if other, taken := handlers[d]; taken {
			r.note(&r.Shared, "delivery %d of entry %s (%v) went to %s and to %s", l.Tries, l.Entry, l.Order, other, l.Consumer)
		}
		handlers[d] = l.Consumer
	}
}

// settleOverlaps looks at entries that were delivered once: those are handled one
// after the other, if they have one key. What was reclaimed has a handler that was
// given up, and may run on.
func (r *Report) settleOverlaps(lines []Line) {
	again := make(map[string]bool)
	for _, l := range lines {
		again[l.Entry] = again[l.Entry] || l.Tries > 1
	}
	sorted := slices.Clone(lines)
	slices.SortFunc(sorted, func(a, b Line) int { return cmp.Compare(a.At, b.At) })
	running := make(map[int]Line)
	for _, l := range sorted {
		if again[l.Entry] {
			continue
		}
		other, busy := running[l.Order.Key]
		switch {
		case l.Kind == Begun && busy && other.Entry != l.Entry:
			r.note(&r.Overlaps, "%v began at %s while %v was handled by %s", l.Order, l.Consumer, other.Order, other.Consumer)
		case l.Kind == Begun:
			running[l.Order.Key] = l
		case busy && other.Entry == l.Entry:
			delete(running, l.Order.Key)
		}
	}
}

// String is the report in a line.
func (r *Report) String() string {
	return fmt.Sprintf("%d events acked (%d repetitions), handled %d times, %d of them again: lost %d, doubled %d, reordered %d, unknown %d, shared %d, overlaps %d, dead letters %d, needless %d, forged %d",
		r.Acked, r.Retries, r.Handled, r.Again, r.Lost, r.Doubled, r.Reordered, r.Unknown, r.Shared, r.Overlaps, r.Letters, r.Needless, r.Forged)
}
