package consume

import (
	"context"
	"slices"
)

// mine returns the next of what this consumer has without knowing of it, up to n
// entries after last. There are none only at the end: takeAll stops then.
func (c *consumer) mine(ctx context.Context, last *string, n int, first bool) ([]*Entry, error) {
	for {
		entries, err := c.store.Mine(ctx, *last, n)
		if err != nil || len(entries) == 0 {
			return nil, err
		}
		*last = entries[len(entries)-1].Entry
		kept, err := c.retain(ctx, entries, first)
		if err != nil {
			return nil, err
		}
		if len(kept) > 0 {
			return kept, nil
		}
	}
}

// retain gives a sign of life for entries that are not known of yet, and returns those
// that are this consumer's still. Nobody has held them until now, so that others may
// take them over at any time: one that stops leaves what it has to all at once, and its
// successor of the same name finds that here.
//
// With first they are from an earlier process, and one more try is counted. The store
// has it before they begin: they may be what ended that process.
func (c *consumer) retain(ctx context.Context, entries []*Entry, first bool) ([]*Entry, error) {
	unknown := c.unknown(entries)
	if len(unknown) == 0 {
		return nil, nil
	}
	tries := make(map[string]int, len(unknown))
	for _, e := range unknown {
		if first {
			e.Tries++
		}
		tries[e.Entry] = e.Tries
	}
	lost, err := c.store.Hold(ctx, tries)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(unknown, func(e *Entry) bool { return slices.Contains(lost, e.Entry) }), nil
}

// unknown returns the entries that are not held.
func (c *consumer) unknown(entries []*Entry) []*Entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(entries, func(e *Entry) bool { return c.held[e.Entry] != nil })
}
