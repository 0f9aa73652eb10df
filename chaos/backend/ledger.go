package backend

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
)

// Queue, Group and Effects are where the orders go: a queue, its consumer group, and
// the list in which what was done is kept.
const (
	Queue   = "orders"
	Group   = "backend"
	Effects = "{orders}:effects"
)

// Order is the argument of a client's event: the number-th of a key.
type Order struct {
	Key    int `json:"key"`
	Number int `json:"number"`
}

func (o Order) String() string { return fmt.Sprintf("%d/%d", o.Key, o.Number) }

// parseOrder reads what String wrote.
func parseOrder(text string) (o Order, err error) {
	_, err = fmt.Sscanf(text, "%d/%d", &o.Key, &o.Number)
	return o, err
}

// DecodeOrder reads the arguments of an event.
func DecodeOrder(args json.RawMessage) (Order, error) {
	var all []Order
	if err := json.Unmarshal(args, &all); err != nil {
		return Order{}, err
	}
	if len(all) == 0 {
		return Order{}, errors.New("an order without arguments")
	}
	return all[0], nil
}

// Kind is what a line of a consumer's log says.
type Kind string

const (
	Begun Kind = "begun" // a handler has begun
	Ended Kind = "ended" // it returns; the work counts with the acknowledgement
	Done  Kind = "done"  // the work is done, whatever becomes of the acknowledgement
)

// Line is one line of a consumer's log.
type Line struct {
	Kind     Kind
	At       int64 // Unix nanoseconds
	Consumer string
	Entry    string // of the queue
	Tries    int
	Order    Order
}

func (l Line) String() string {
	return fmt.Sprintf("%s %d %s %s %d %v", l.Kind, l.At, l.Consumer, l.Entry, l.Tries, l.Order)
}

func parseLine(text string) (l Line, err error) {
	var order string
	if _, err := fmt.Sscanf(text, "%s %d %s %s %d %s", &l.Kind, &l.At, &l.Consumer, &l.Entry, &l.Tries, &order); err != nil {
		return l, fmt.Errorf("%q: %w", text, err)
	}
	l.Order, err = parseOrder(order)
	return l, err
}

// readLines reads the logs of consumers. They are written in whole lines.
func readLines(files []string) (all []Line, err error) {
	for _, name := range files {
		err := eachLine(name, func(text string) error {
			l, err := parseLine(text)
			all = append(all, l)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// sent is what the clients know of their events.
type sent struct {
	Acked   map[Order]bool
	Retries int // repetitions, with the same id
}

// readSent reads the log of the clients: "k" acked, "r" sent again.
func readSent(file string) (s sent, err error) {
	s.Acked = make(map[Order]bool)
	err = eachLine(file, func(text string) error {
		var kind string
		var at int64
		var o Order
		if _, err := fmt.Sscanf(text, "%s %d %d %d", &kind, &at, &o.Key, &o.Number); err != nil {
			return fmt.Errorf("%q: %w", text, err)
		}
		if kind == "k" {
			s.Acked[o] = true
		} else {
			s.Retries++
		}
		return nil
	})
	return s, err
}

func eachLine(file string, do func(string) error) error {
	f, err := os.Open(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil // nothing was written
	}
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if err := do(lines.Text()); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return lines.Err()
}

// effectsOf is what took effect, in order: what Redis has, or what consumers have
// written that do it without Redis.
func effectsOf(texts []string, lines []Line) (effects []Order, err error) {
	for _, text := range texts {
		o, err := parseOrder(text)
		if err != nil {
			return nil, fmt.Errorf("effect %q: %w", text, err)
		}
		effects = append(effects, o)
	}
	slices.SortFunc(lines, func(a, b Line) int { return cmp.Compare(a.At, b.At) })
	for _, l := range lines {
		if l.Kind == Done {
			effects = append(effects, l.Order)
		}
	}
	return effects, nil
}
