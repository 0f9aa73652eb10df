package chat_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/archive"
	"github.com/seed-09a96375/belfry/examples/chat"
)

type page struct {
	Messages []chat.Message
	Next     string
}

func (c *client) history(q map[string]any) (p page) {
	c.t.Helper()
	args := c.Ask("history", q)
	if fault := c.Refusal(args); fault != "" {
		c.t.Fatal(fault)
	}
	c.Decode(args[0], &p)
	return p
}

// arrive joins, reads the past, and then what comes until the text end: all as a page
// shows it.
func arrive(t *testing.T, url, end string, meanwhile func()) (texts []string) {
	t.Helper()
	c := join(t, url, "late")
	past := c.history(map[string]any{"limit": 10})
	meanwhile()
	var known []string
	show := func(m chat.Message, top bool) {
		if top {
			texts = append([]string{m.Text}, texts...)
		} else if !slices.Contains(known, m.ID) {
			texts = append(texts, m.Text)
		}
		known = append(known, m.ID)
	}
	for _, m := range past.Messages {
		show(m, false)
	}
	for texts = slices.Clip(texts); len(texts) == 0 || texts[len(texts)-1] != end; {
		show(c.nextMessage(), false)
	}
	for next := past.Next; next != ""; {
		older := c.history(map[string]any{"limit": 10, "before": next})
		for _, m := range slices.Backward(older.Messages) {
			show(m, true)
		}
		next = older.Next
	}
	return texts
}

// joined says what is wrong, if texts are not 0 to n-1, each once, in order.
func joined(texts []string, n int) error {
	var want []string
	for i := range n {
		want = append(want, fmt.Sprint(i))
	}
	if !slices.Equal(texts, want) {
		return fmt.Errorf("shown are %v, want 0 to %d", texts, n-1)
	}
	return nil
}

// comings has clients come at any time while somebody speaks on.
func comings(t *testing.T, c *chain) error {
	t.Helper()
	urls := c.start(t)
	ada := join(t, urls[0], "Ada")
	n := 0
	speak := func(times int) {
		for range times {
			ada.ask("event:message", saying{fmt.Sprint(n), newID()})
			n++
		}
	}
	var faults []error
	for round := range 20 {
		speak(1 + round%7)
		texts := arrive(t, urls[round%len(urls)], fmt.Sprint(n+round%3), func() { speak(1 + round%3) })
		faults = append(faults, joined(texts, n))
	}
	return errors.Join(faults...)
}

func TestPastJoinsLive(t *testing.T) {
	if err := comings(t, embedded(t, 2)); err != nil {
		t.Error(err)
	}
}

// TestHoleIsFound is the negative control: without the log the checker has to fail.
func TestHoleIsFound(t *testing.T) {
	c := embedded(t, 2)
	c.noLog = true
	if err := comings(t, c); err == nil {
		t.Error("pages end where the archive ends, and the checker finds nothing")
	}
}

func TestPastOfAStoreThatIsAway(t *testing.T) {
	c := embedded(t, 1)
	c.store = away{c.store}
	ada := join(t, c.start(t)[0], "Ada")
	if got := ada.Refusal(ada.Ask("history", map[string]any{})); got != "what was said before cannot be read now" {
		t.Errorf("history is answered with %q", got)
	}
}

type away struct{ archive.Store }

func (away) Page(context.Context, archive.Query) ([]archive.Entry, error) {
	return nil, belfry.ErrUnavailable
}
