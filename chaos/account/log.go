package account

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Kind is the first letter of a line of the clients' log.
type Kind byte

const (
	Connected    Kind = 'c' // c <ms> <client> <0 or 1: recovered> <id>
	Joined       Kind = 'j' // j <ms> <client>: all its rooms acked
	Disconnected Kind = 'd' // d <ms> <client> <reason>
	Received     Kind = 'm' // m <ms> <client> <stream> <number> [<offset>]
	Offered      Kind = 's' // s <ms> <client> <number>: it sends that of its own stream
	Repeated     Kind = 'a' // a <ms> <client> <number>: again
	Acked        Kind = 'k' // k <ms> <client> <number>
	Denied       Kind = 'r' // r <ms> <client> <message>: the server refused it for good
	Odd          Kind = 'x' // x <ms> <client> <what was wrong>
)

// Event is one line of the log.
type Event struct {
	Kind      Kind
	Time      int64 // Unix milliseconds
	Client    int
	Recovered bool
	Text      string // id, reason, what was wrong
	Stream    int
	Number    int
	Offset    string // in the log of the bus; "-": the client does not know it
}

// Read calls f for every line. A last line without an end is left out: it is
// being written.
func Read(r io.Reader, f func(Event)) error {
	lines := bufio.NewReaderSize(r, 1<<20)
	for n := 1; ; n++ {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		e, err := parse(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		f(e)
	}
}

func parse(line string) (Event, error) {
	w := strings.SplitN(line, " ", 7)
	if len(w) < 3 || len(w[0]) != 1 {
		return Event{}, fmt.Errorf("%q is no event", line)
	}
	e := Event{Kind: Kind(w[0][0])}
	var err error
	if e.Time, err = strconv.ParseInt(w[1], 10, 64); err != nil {
		return Event{}, err
	}
	if e.Client, err = natural(w[2]); err != nil {
		return Event{}, err
	}
	return e, e.complete(line, w[3:])
}

// complete reads the words that follow the client.
func (e *Event) complete(line string, rest []string) (err error) {
	n := len(rest)
	switch {
	case e.Kind == Joined && n == 0:
	case e.Kind == Connected && n == 2:
		e.Recovered, e.Text = rest[0] == "1", rest[1]
	case isOneOf(e.Kind, Disconnected, Denied, Odd) && n > 0:
		e.Text = strings.Join(rest, " ")
	case e.Kind == Received && (n == 2 || n == 3):
		if e.Stream, err = natural(rest[0]); err == nil {
			e.Number, err = natural(rest[1])
		}
		e.Offset = strings.Join(rest[2:], "")
	case isOneOf(e.Kind, Offered, Repeated, Acked) && n == 1:
		e.Stream = e.Client
		e.Number, err = natural(rest[0])
	default:
		err = fmt.Errorf("%q is no event", line)
	}
	return err
}

func isOneOf(k Kind, all ...Kind) bool { return slices.Contains(all, k) }

func natural(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	return int(n), err
}
